/** Where a run keeps what: what its owner looks for at the top, the workings below. */
import path from 'node:path';

export type ExperimentFiles = ReturnType<typeof experimentFiles>;

/** @param run its folder, which also has the ledger and the recipe as resolved */
export function experimentFiles(run: string) {
  const at = (...names: string[]) => path.join(run, ...names);
  return {
    run,
    summary: at('summary.json'),
    report: at('report.html'),
    /** Exported, with its weights: for check, serve, playground, adapt. */
    guard: at('guard'),
    dataset: at('dataset'),
    data: at('dataset', 'data.jsonl'),
    /** The labelled seed set: a ledger and its rows. */
    seed: at('seed'),
    seedDataset: at('seed', 'dataset'),
    seedData: at('seed', 'dataset', 'data.jsonl'),
    /** The ablation: a ledger and, where it is learned from, its rows. */
    noPrefix: at('no-prefix'),
    noPrefixDataset: at('no-prefix', 'dataset'),
    noPrefixData: at('no-prefix', 'dataset', 'data.jsonl'),
    sweep: at('sweep'),
    sweepResult: at('sweep', 'sweep.json'),
    /** Of one student of every setting, for the report. */
    evaluations: at('results', 'evaluations'),
    /** What commands of that name print with --json. */
    result: (name: 'measure' | 'measure-no-prefix' | 'export' | 'cost') => at('results', `${name}.json`),
    /** Written last: what a step was made from, and what came of it. */
    record: (step: string) => at('steps', `${step}.json`),
  };
}
