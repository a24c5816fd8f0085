/** What a check costs with the guard, beside the teacher, as `harmaug cost` says it. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { type CostTarget, compareCosts, runsElsewhere } from '../../cost/compare.node.ts';
import type { CheckCost, ModelCost } from '../../cost/cost.ts';
import { defaultPrices } from '../../cost/prices.ts';
import { spread } from '../../data/spread.ts';
import { isHubModel, type Pipeline, teacherOf } from '../../stages/pipeline.node.ts';
import { writeJson } from '../../sweep/manifest.node.ts';
import type { TeacherConfig } from '../../teachers/config.ts';
import type { Experiment } from '../recipe.node.ts';
import { hashFile } from '../records.node.ts';
import type { Step } from '../step.node.ts';

export interface CostFacts {
  readonly guard: CostOfOne;
  readonly teacher: CostOfOne | null;
}

interface CostOfOne {
  readonly name: string;
  readonly precision: string | null;
  readonly parameters: number | null;
  readonly flops: number | null;
  readonly p50Ms: number | null;
}

export const costStep: Step = {
  name: 'cost',
  about: 'what a check costs, beside the teacher',
  isAsked: ({ cost }) => cost !== null,
  reads: ['guard'],
  writes: ({ result }) => [result('cost')],
  inputs: ({ experiment }) => [experiment.cost, teacherTarget(experiment)],
  async run({ experiment, files, plan, hub, env, threads, signal, tell }) {
    const { lengths, rows, seconds, run } = experiment.cost!;
    const target = teacherTarget(experiment);
    const sets = (await plan()).sets;
    const own = Object.values(defaultPrices.machines)[0]?.hour ?? null;
    const isElsewhere = target !== null && typeof target !== 'string' && runsElsewhere(target.teacher);
    const comparison = await compareCosts({
      ...{ models: [files.guard], against: target, lengths, rows: spread(sets[0]?.rows ?? [], rows), seconds },
      ...{ prices: defaultPrices, hours: [own, isElsewhere ? null : own], isCountedOnly: !run, threads },
      ...{ hub, env, signal, onProgress: (line) => tell({ kind: 'at', line }) },
    });
    await writeJson(files.result('cost'), comparison);
    const exported = comparison.models.filter(({ precision }) => precision !== 'fp32');
    const guard = exported.at(-1) ?? comparison.models[0]!; // the smallest there is
    const teacher = comparison.against;
    const facts = { guard: costOfOne(guard), teacher: teacher && costOfOne(teacher) };
    return {
      output: await hashFile(files.result('cost')),
      facts,
      line: `${comparison.models.length} forms of the guard`,
    };
  },
};

/** On real rows where there are some. */
function costOfOne({ name, precision, parameters, checks }: ModelCost): CostOfOne {
  const check: Partial<CheckCost> = checks.find(({ length }) => length === 'data') ?? checks[0] ?? {};
  return { name, precision, parameters, flops: check.flops ?? null, p50Ms: check.p50Ms ?? null };
}

function teacherTarget({ pipeline, cost }: Experiment): CostTarget | null {
  if (pipeline.label === undefined || cost?.teacher !== true) return null;
  const { models, folder } = pipeline;
  const config = teacherOf(pipeline, pipeline.label);
  const { name, file } = aboutTeacher(config, pipeline);
  const shape = cost.shape === undefined ? file : path.resolve(folder, cost.shape);
  return { name, teacher: { name, config, models, folder }, ...(shape === undefined ? {} : { shape }) };
}

/** What a teacher is called in tables, and the file that tells its size, if there is one. */
function aboutTeacher(config: TeacherConfig, { models, folder }: Pipeline): { name: string; file?: string } {
  if (config.family === 'average') return { name: config.of.map(({ family }) => family).join(' + ') };
  if (config.family === 'classifier') return { name: path.basename(config.folder) };
  if (config.family === 'openai-moderation') return { name: config.model };
  const model = typeof config.model === 'string' ? models[config.model]! : config.model;
  if (model.provider !== 'llama.cpp') return { name: 'model' in model ? model.model : config.family };
  const file = path.resolve(folder, model.model);
  const name = path.basename(model.model, '.gguf');
  return isHubModel(model.model) || !existsSync(file) ? { name } : { name, file };
}
