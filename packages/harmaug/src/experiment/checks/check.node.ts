/** A recipe checked from end to end without a model or a network. */
import { messageOf } from '../../errors.ts';
import { readRecipe } from '../../recipe/recipe.node.ts';
import { checkAsking } from './asking.node.ts';
import { type Finding, findingsOf } from './finding.ts';
import { checkSections } from './sections.node.ts';

export interface CheckedRecipe {
  readonly recipe: string;
  /** Sections that are there. */
  readonly sections: readonly string[];
  readonly findings: readonly Finding[];
}

/** Everything there is to find: schemas, names, files, prompts, templates. */
export async function checkRecipe(
  file: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<CheckedRecipe> {
  let recipe: Awaited<ReturnType<typeof readRecipe>>;
  try {
    recipe = await readRecipe(file);
  } catch (error) {
    return { recipe: file, sections: [], findings: findingsOf(messageOf(error), file, 'recipe') };
  }
  const { findings, pipeline } = checkSections(recipe);
  const asking = pipeline === null ? [] : await checkAsking(pipeline, env);
  return { recipe: file, sections: Object.keys(recipe.sections), findings: unique([...findings, ...asking]) };
}

function unique(findings: readonly Finding[]): Finding[] {
  return [...new Map(findings.map((one) => [JSON.stringify(one), one])).values()];
}
