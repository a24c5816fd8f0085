/** Every step of a run, in order. A step reads only what those before it wrote. */
import type { Step } from './step.node.ts';
import { costStep } from './steps/cost.node.ts';
import { datasetStep } from './steps/dataset.node.ts';
import { guardStep } from './steps/guard.node.ts';
import { measureStep } from './steps/measure.node.ts';
import { noPrefixStep } from './steps/no-prefix.node.ts';
import { reportStep } from './steps/report.node.ts';
import { seedStep } from './steps/seed.node.ts';
import { stageSteps } from './steps/stages.node.ts';
import { sweepStep } from './steps/sweep.node.ts';

export const steps: readonly Step[] = [
  ...stageSteps,
  datasetStep,
  noPrefixStep,
  seedStep,
  sweepStep,
  guardStep,
  measureStep,
  costStep,
  reportStep,
];
