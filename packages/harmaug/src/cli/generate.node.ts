/** `harmaug generate`: instructions that a language model writes. */
import { generate } from '../stages/generate.node.ts';
import { defineCommand } from './command.node.ts';
import { runStage, stageFlags } from './stage-flags.node.ts';

export const generateCommand = defineCommand({
  summary: 'have a model write instructions, harmful and harmless',
  positional: ['<recipe>'],
  flags: stageFlags,
  notes: `Reads the sections generate, benign, seed and filters. The texts go into the run folder and nowhere else.

  harmaug generate recipes/augment.yaml --out runs/first --plan
  harmaug generate recipes/augment.yaml --out runs/first --limit 20 --budget "100k tokens"
  harmaug generate recipes/augment.yaml --out runs/part-1 --shard 1/4`,
  run: (values, io, [recipe]) => runStage('generate', generate, values, io, recipe!),
});
