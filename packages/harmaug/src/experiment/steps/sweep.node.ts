/** Students of every setting and seed. */
import path from 'node:path';
import { ConfigError } from 'onnx-grad';
import { keyOf } from '../../sweep/manifest.node.ts';
import type { SweepPlan } from '../../sweep/plan.node.ts';
import { runSweep } from '../../sweep/sweep.node.ts';
import type { Step } from '../step.node.ts';
import { figuresBySetting } from '../sweep-facts.node.ts';

const keyOfPlan = ({ cells, sweep }: SweepPlan) =>
  keyOf([cells.map(({ key }) => key), sweep.baseline, sweep.resamples]);

export const sweepStep: Step = {
  name: 'sweep',
  about: 'students of every setting and seed, measured and compared',
  isAsked: ({ hasSweep }) => hasSweep,
  reads: ['dataset', 'seed', 'no-prefix'],
  writes: ({ sweepResult }) => [sweepResult],
  inputs: async ({ plan, experiment }) => [keyOfPlan(await plan()), experiment.report.lookAlikes ?? null],
  async run(context) {
    const { experiment, hub, threads, force, signal, tell } = context;
    const plan = await context.plan();
    const result = await runSweep({
      ...{ plan, recipe: path.basename(experiment.recipe.file), hub, force, signal },
      ...(threads === undefined ? {} : { threads }),
      onEvent: (event) => tell({ kind: 'sweep', event }),
    });
    if (result === null) return null;
    const failed = result.cells.filter(({ state }) => state === 'failed');
    if (failed.length > 0) {
      const { setting, seed, message } = failed[0]!;
      throw new ConfigError(
        `${failed.length} of ${result.cells.length} students could not be made; ${setting}, seed ${seed}: ${message}`,
      );
    }
    const facts = await figuresBySetting(plan, result, experiment.report.lookAlikes);
    return { output: keyOfPlan(plan), facts, line: `${result.cells.length} students` };
  },
};
