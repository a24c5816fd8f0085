import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { FormatError } from 'onnx-grad';
import { describe, expect, it, onTestFinished } from 'vitest';
import { checkSettings, distillDefaults } from '../distill/settings.ts';
import { readRecipe, sectionOf } from './recipe.node.ts';

const recipes = path.join(import.meta.dirname, '..', '..', '..', '..', 'recipes');

async function recipeOf(text: string) {
  const folder = await mkdtemp(path.join(tmpdir(), 'harmaug-recipe-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'recipe.yaml');
  await writeFile(file, text);
  return readRecipe(file);
}

describe('a recipe', () => {
  it('of the paper has the defaults, which are the paper’s', async () => {
    const section = sectionOf(await readRecipe(path.join(recipes, 'paper.yaml')), 'distill', [
      ...Object.keys(distillDefaults),
      'seeds',
    ]);
    const { seeds, ...settings } = section;
    expect(seeds).toEqual([42, 123, 456]);
    expect(checkSettings(settings)).toEqual(distillDefaults);
  });

  it.each([
    ['distil:\n  epochs: 3', /Unknown section "distil"\. Did you mean "distill"\?/],
    ['distill: 3', /"distill": expected a mapping/],
    ['- distill', /expected a mapping with sections/],
    ['distill:\n  epochs: [1, 2', /line 2 is not YAML/],
    [
      `a: &a [1]\n${Array.from({ length: 9 }, (_, n) => `b${n}: &b${n} [${Array(9).fill(n ? `*b${n - 1}` : '*a')}]`).join('\n')}`,
      /aliases/,
    ],
  ])('that is %j is refused', async (text, message) => {
    const error = await recipeOf(text).catch((reason) => reason);
    expect(error).toBeInstanceOf(FormatError);
    expect(error.message).toMatch(message);
  });

  it('with an unknown key, or that is not there, says so', async () => {
    const recipe = await recipeOf('distill:\n  lerningRate: 1');
    expect(() => sectionOf(recipe, 'distill', ['learningRate'])).toThrow(
      /Unknown key "lerningRate"\. Did you mean "learningRate"/,
    );
    await expect(readRecipe('none.yaml')).rejects.toThrow(/none\.yaml does not exist/);
  });
});
