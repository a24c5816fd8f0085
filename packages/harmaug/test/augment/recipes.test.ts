/** Bad recipes and bad data: one clear error with file and line or key, before any call. */
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startWriters, type Writers } from '../loopback/writers.ts';
import { CANARY, harmaug, makeWorkplace, mildRecipe, type Workplace } from './harness.node.ts';

let server: Writers;
let workplace: Workplace;
beforeAll(async () => {
  server = await startWriters();
  workplace = makeWorkplace();
});
afterAll(async () => {
  await server.close();
  rmSync(workplace.folder, { recursive: true });
});

type Sections = Record<string, Record<string, unknown>>;

/** What generate says of the mild recipe with a change. */
async function errorOf(change: (sections: Sections) => unknown, stage = 'generate'): Promise<string> {
  const sections = mildRecipe(server.url, 3) as Sections;
  change(sections);
  const recipe = workplace.recipe('recipe.yaml', sections);
  const { exitCode, stdout, stderr } = await harmaug(stage, recipe, '--out', workplace.at('run'));
  expect([exitCode, stdout]).toEqual([1, '']);
  expect(server.requests).toHaveLength(0);
  expect(stderr).not.toContain(CANARY);
  return stderr;
}

describe('a recipe with', () => {
  test.each([
    ['an unknown section', (s) => (s.genrate = {}), /Unknown section "genrate"\. Did you mean "generate"\?/],
    [
      'an unknown key',
      (s) => (s.generate!.perCategorie = 5),
      /recipe\.yaml: generate: .*unknown key "perCategorie"\. Did you mean "perCategory"\?/,
    ],
    [
      'an unknown key further in',
      (s) => (s.respond!.refusal = { model: 'refuser', sistem: 'x' }),
      /respond: "refusal" unknown key "sistem"\. Did you mean "system"\?/,
    ],
    [
      'an unknown key of a filter',
      (s) => (s.filters!.nearDuplicates = { treshold: 0.7 }),
      /filters: "nearDuplicates".*unknown key "treshold"\. Did you mean "threshold"\?|filters: "nearDuplicates"/,
    ],
    [
      'an unknown model',
      (s) => (s.generate!.model = 'writter'),
      /generate\.model: Unknown model "writter"\. Did you mean "writer"\?/,
    ],
    [
      'an unknown teacher',
      (s) => (s.label!.teacher = 'man'),
      /label\.teacher: Unknown teacher "man"\. Did you mean "main"\?/,
    ],
    [
      'a price for no model',
      (s) => (s.prices!.models = { wrter: { prompt: 1, completion: 1 } }),
      /prices\.models: Unknown model "wrter"\. Did you mean "writer"\?/,
    ],
    ['an impossible count', (s) => (s.generate!.perCategory = 0), /generate: "perCategory"/],
    ['a share over its range', (s) => (s.benign!.share = 1.5), /benign: "share"/],
    ['a temperature below 0', (s) => (s.generate!.temperature = -1), /generate: "temperature"/],
    [
      'a text for a number',
      (s) => (s.generate!.exemplars = 'many'),
      /generate: "exemplars" is wrong: expected number, got string/,
    ],
    ['a language that is none', (s) => (s.filters!.languages = ['English']), /filters: "languages/],
    [
      'a category twice',
      (s) =>
        (s.generate!.categories = [
          { name: 'a', description: 'b' },
          { name: 'a', description: 'c' },
        ]),
      /generate: "categories" has a name twice/,
    ],
    [
      'a category without a description',
      (s) => (s.generate!.categories = [{ name: 'a' }]),
      /"categories\.0\.description" is missing/,
    ],
    [
      'no section for the stage',
      (s) => delete s.generate,
      /"benign" is made by "generate", and that section is missing/,
    ],
    [
      'nothing to respond with',
      (s) => (s.respond = { promptOnly: false }),
      /respond: makes nothing: expected "refusal", "compliant" or promptOnly: true/,
    ],
    [
      'a missing data file',
      (s) => (s.seed!.files = ['none.jsonl']),
      /recipe\.yaml: seed\.files: none\.jsonl does not exist\./,
    ],
    [
      'a missing evaluation set',
      (s) => (s.filters!.benchmarks = ['xtest.jsonl']),
      /filters\.benchmarks: xtest\.jsonl does not exist/,
    ],
    [
      'a missing encoder',
      (s) => (s.filters!.embeddings = { encoder: 'no-encoder' }),
      /filters\.embeddings\.encoder: no-encoder does not exist/,
    ],
    [
      'no labelled data and examples wanted',
      (s) => delete s.seed,
      /generate\.exemplars are drawn from unsafe rows \(label 1\), and there are no seed data \(section "seed"\)\. Add some, or set exemplars: 0\./,
    ],
    [
      'examples of a label that no row has',
      (s) => Object.assign(s, { benign: { exemplars: 1 }, seed: { ...s.seed, limit: 4 } }),
      /benign\.exemplars are drawn from safe rows \(label 0\), and none of the 4 seed rows is one/,
    ],
    [
      'both a format and columns',
      (s) => (s.seed!.files = [{ file: 'seeds.jsonl', format: 'harmaug', columns: { prompt: 'prompt' } }]),
      /give "format" or "columns", not both/,
    ],
  ] as [string, (sections: Sections) => unknown, RegExp][])('%s is refused', async (_, change, message) => {
    expect(await errorOf(change)).toMatch(message);
  });

  test('no section for the stage is refused by that stage', async () => {
    expect(await errorOf((s) => delete s.label, 'label')).toMatch(/recipe\.yaml has no section "label"/);
  });

  test('YAML that is none names its line', async () => {
    writeFileSync(workplace.at('broken.yaml'), 'generate:\n  model: [\n');
    const { exitCode, stderr } = await harmaug('generate', workplace.at('broken.yaml'), '--out', workplace.at('run'));
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/broken\.yaml line \d is not YAML/);
  });
});

describe('labelled data with', () => {
  const good = JSON.stringify({ prompt: `A ${CANARY} text`, label: 1 });
  test.each([
    [
      'a row without a prompt',
      `${good}\n{"label": 1}\n`,
      /data\.jsonl line 2: "prompt": expected a text that is not empty, got nothing/,
    ],
    ['an empty prompt', `${good}\n\n{"prompt": "  ", "label": 1}\n`, /data\.jsonl line 3: "prompt"/],
    ['a line that is no JSON', `${good}\n{"prompt": "${CANARY}\n`, /data\.jsonl line 2 is not JSON\./],
    [
      'a line that is no UTF-8',
      Buffer.concat([Buffer.from(`${good}\n${good}\n`), Buffer.from([0x22, 0xc3, 0x28]), Buffer.from('\n')]),
      /data\.jsonl line 3 is not UTF-8\./,
    ],
    [
      'a label that is none',
      `{"prompt": "${CANARY}", "label": 3}\n`,
      /data\.jsonl line 1: "label": expected 0 or 1, got 3/,
    ],
  ] as [string, string | Buffer, RegExp][])('%s is refused', async (_, content, message) => {
    writeFileSync(workplace.at('data.jsonl'), content);
    expect(await errorOf((s) => (s.seed!.files = ['data.jsonl']))).toMatch(message);
  });
});

test('the recipe that comes with the repository is right, and can be planned', async () => {
  const recipe = path.join(import.meta.dirname, '../../../../recipes/augment.yaml');
  for (const stage of ['generate', 'respond', 'label']) {
    const { exitCode, stdout } = await harmaug(stage, recipe, '--out', workplace.at('planned'), '--plan', '--json');
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout).calls[0].cost).toBeGreaterThan(0);
  }
});
