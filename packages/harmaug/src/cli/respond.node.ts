/** `harmaug respond`: a refusal and a compliant response to every instruction. */
import { respond } from '../stages/respond.node.ts';
import { defineCommand } from './command.node.ts';
import { runStage, stageFlags } from './stage-flags.node.ts';

export const respondCommand = defineCommand({
  summary: 'have models respond to the instructions',
  positional: ['<recipe>'],
  flags: stageFlags,
  notes: `Reads the section respond and the instructions of the run. --limit takes the first instructions.

  harmaug respond recipes/augment.yaml --out runs/first`,
  run: (values, io, [recipe]) => runStage('respond', respond, values, io, recipe!),
});
