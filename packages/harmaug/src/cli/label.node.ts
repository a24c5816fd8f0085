/** `harmaug label`: the teacher's p(unsafe) for every row. */
import { label } from '../stages/label.node.ts';
import { defineCommand } from './command.node.ts';
import { runStage, stageFlags } from './stage-flags.node.ts';

export const labelCommand = defineCommand({
  summary: 'have the teacher label instructions and responses',
  positional: ['<recipe>'],
  flags: stageFlags,
  notes: `Reads the section label and the texts of the run. A text for which there is no verdict stays without a label.

  harmaug label recipes/augment.yaml --out runs/first`,
  run: (values, io, [recipe]) => runStage('label', label, values, io, recipe!),
});
