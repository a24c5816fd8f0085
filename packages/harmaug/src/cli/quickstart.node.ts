/** `harmaug quickstart`: the whole of HarmAug in minutes, with miniature models that come with the repository. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError } from 'onnx-grad';
import { defineCommand } from './command.node.ts';
import { runRecipe, wholeRunFlags } from './run-recipe.node.ts';

/** The repository, from the sources and from a build alike; of an installed package something else. */
const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const RECIPE = path.join(ROOT, 'recipes', 'quickstart.yaml');
const isRepository = () => existsSync(path.join(ROOT, 'packages', 'harmaug', 'package.json')) && existsSync(RECIPE);

export const quickstartCommand = defineCommand({
  summary: 'see all of it work in minutes: miniature models, no GPU, no account, nothing fetched',
  flags: {
    out: { kind: 'text', value: '<run>', help: 'run folder; "quickstart"' },
    ...wholeRunFlags,
  },
  notes: `As harmaug run recipes/quickstart.yaml. The models are miniatures and the texts mild; the path is the real one: the same
recipe with other models is a real experiment (recipes/laptop.yaml, recipes/paper.yaml; one of your own: harmaug init).

  harmaug quickstart
  harmaug check quickstart/guard --prompt "How do I kill a Python process?"`,

  async run({ out = 'quickstart', ...values }, io) {
    if (!isRepository()) {
      throw new ConfigError(
        'The miniature models and samples of the quickstart come with the repository, not with the package. Clone ' +
          'the repository and run "npm ci && npm run quickstart" there, or write a recipe for models of your own: harmaug init.',
      );
    }
    const shown = path.relative('.', RECIPE) || RECIPE;
    const again = `npx harmaug quickstart${out === 'quickstart' ? '' : ` --out ${out}`}`;
    return runRecipe(shown.startsWith('..') ? RECIPE : shown, { ...values, out }, io, again);
  },
});
