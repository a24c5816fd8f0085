/**
 * Runs the loop with two models of a recipe and a guard of yours:
 *
 *   npm run example:red-team -- --recipe recipe.yaml --attacker writer --target product --guard guard --seeds seeds.jsonl --out found.jsonl
 *
 * Prints figures; the texts go into --out alone, which only you can read.
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { modelConfig } from 'harmaug';
import { createProvider, openScorer, readRecipe, readRows } from 'harmaug/node';
import { redTeam } from './loop.ts';

process.on('uncaughtException', ({ message }) => {
  console.error(message); // one line, not a stack
  process.exit(1);
});

const { values } = parseArgs({
  options: {
    recipe: { type: 'string' },
    attacker: { type: 'string' },
    target: { type: 'string' },
    guard: { type: 'string' },
    seeds: { type: 'string' },
    out: { type: 'string' },
    rounds: { type: 'string', default: '8' },
    prompts: { type: 'string', default: '16' },
    draws: { type: 'string', default: '1' },
    shots: { type: 'string', default: '4' },
    temperature: { type: 'string', default: '0.2' },
    seed: { type: 'string', default: '1' },
  },
});
const need = (name: 'recipe' | 'attacker' | 'target' | 'guard' | 'seeds' | 'out'): string => {
  if (values[name] === undefined) throw new Error(`--${name} is missing; the head of this file shows how it is run.`);
  return values[name];
};

const recipe = await readRecipe(need('recipe'));
const open = (name: string) => {
  const config = recipe.sections.models?.[name];
  if (config === undefined) throw new Error(`${recipe.file} has no model "${name}".`);
  return createProvider(modelConfig.parse(config), { name, folder: path.dirname(recipe.file), env: process.env });
};
const [attacker, target, guard] = [
  await open(need('attacker')),
  await open(need('target')),
  await openScorer(need('guard')),
];
const { rows } = await readRows([need('seeds')]);

console.log('round  tried  again  mean reward  success  archive  rewards/s');
const found = await redTeam({
  ...{ attacker, target, guard, seeds: rows.map(({ prompt }) => prompt) },
  ...{ rounds: Number(values.rounds), prompts: Number(values.prompts), draws: Number(values.draws) },
  ...{ shots: Number(values.shots), temperature: Number(values.temperature), seed: Number(values.seed) },
  onRound: ({ round, tried, repeated, meanReward, success, archived, rewardMs }) => {
    const perSecond = (1000 * tried * Number(values.draws)) / rewardMs;
    const figures = [meanReward?.toFixed(3) ?? '—', success === null ? '—' : `${Math.round(100 * success)}%`, archived];
    const cells = [round, tried, repeated, ...figures, tried === 0 ? '—' : perSecond.toFixed(0)];
    const widths = [5, 7, 7, 13, 9, 9, 11];
    console.log(cells.map((cell, at) => String(cell).padStart(widths[at]!)).join(''));
  },
});
await writeFile(need('out'), found.map((attempt) => `${JSON.stringify(attempt)}\n`).join(''), { mode: 0o600 });
console.log(`${found.length} attempts with their rewards are in ${need('out')}`);
for (const one of [attacker, target, guard]) await one.dispose();
