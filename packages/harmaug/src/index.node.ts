/** What needs files, threads or the network, with everything of index.ts. */
export { type AdaptEvent, type AdaptRequest, type AdaptResult, adapt } from './adapt/adapt.node.ts';
export { type ReadOptions, type ReadRows, readRows } from './data/read.node.ts';
export {
  type DistillEvent,
  type DistillRequest,
  type DistillResult,
  type DistillRows,
  distill,
  distillRows,
} from './distill/distill.node.ts';
export { type DistillData, prepareData } from './distill/prepare.node.ts';
export { type RunEvent, type RunOptions, type RunResult, runDistillation } from './distill/run.node.ts';
export { openWordNet } from './eda/wordnet.node.ts';
export { type FetchedFile, type FetchOptions, fetchBenchmark } from './evaluate/fetch-benchmark.node.ts';
export { readScores, type ScoredRow, writeScores } from './evaluate/scores-file.node.ts';
export { type CheckedRecipe, checkRecipe } from './experiment/checks/check.node.ts';
export { type Experiment, readExperiment } from './experiment/recipe.node.ts';
export { type ExperimentEvent, type ExperimentRequest, runExperiment } from './experiment/run.node.ts';
export type { Summary } from './experiment/summary.node.ts';
export * from './index.ts';
export { Ledger } from './ledger/ledger.node.ts';
export { type CreateOptions, createProvider } from './providers/create.node.ts';
export { type LlamaCppOptions, openLlamaCppProvider } from './providers/llama-cpp/provider.node.ts';
export { createTransport } from './providers/openai/transport.node.ts';
export { recordProvider, replayProvider } from './providers/recorder.node.ts';
export { type Recipe, readRecipe, sectionOf } from './recipe/recipe.node.ts';
export { type ReportOptions, type ReportResult, writeReport } from './report/report.node.ts';
export { openScorer } from './scoring/open-scorer.node.ts';
export type { StageOptions } from './stages/context.node.ts';
export { type ExportOptions, type ExportResult, exportData } from './stages/export.node.ts';
export { generate } from './stages/generate.node.ts';
export { convertRows, type ImportOptions, type ImportResult, importRows } from './stages/import.node.ts';
export { label } from './stages/label.node.ts';
export { type MergeResult, mergeRuns } from './stages/merge.node.ts';
export { type Pipeline, readPipeline } from './stages/pipeline.node.ts';
export { respond } from './stages/respond.node.ts';
export { type PlanRequest, planSweep, type SweepPlan } from './sweep/plan.node.ts';
export { runSweep, type SweepEvent, type SweepRequest } from './sweep/sweep.node.ts';
export { createClassifierTeacher } from './teachers/classifier.node.ts';
export { type OpenTeacherOptions, openTeacher } from './teachers/create.node.ts';
