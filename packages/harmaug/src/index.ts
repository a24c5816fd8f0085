/** What runs anywhere: metrics, formats, settings. */
export { type ColumnMap, type DataRecord, type Format, type FormatName, formatNames, formats } from './data/formats.ts';
export { promptKey } from './data/prompt-key.ts';
export { checkRow, type Row } from './data/row.ts';
export { type NearDuplicateOptions, NearDuplicates, type Sketch } from './dedup/near-duplicates.ts';
export { Overlap } from './dedup/overlap.ts';
export { epochBatches } from './distill/epoch.ts';
export { distillationLoss } from './distill/objective.ts';
export { checkSettings, type DistillSettings, distillDefaults } from './distill/settings.ts';
export { type Split, splitByPrompt } from './distill/split.ts';
export { type Target, targetOf } from './distill/targets.ts';
export { type EdaCopies, type EdaOptions, edaCopies } from './eda/augment.ts';
export type { Synonyms } from './eda/operations.ts';
export { ProviderError, type ProviderErrorDetails, type ProviderProblem } from './errors.ts';
export { type Benchmark, type BenchmarkId, benchmarkIds, benchmarks } from './evaluate/benchmarks.ts';
export { type BootstrapOptions, type Comparison, compare, type Estimate, estimate } from './evaluate/bootstrap.ts';
export { type Evaluation, type EvaluationSet, evaluate, type Slice } from './evaluate/evaluate.ts';
export {
  type Metric,
  type MetricName,
  type MetricSettings,
  metricNames,
  metrics,
  reliability,
} from './evaluate/metrics.ts';
export { type Curve, countsAt, curveOf, type Ranking, rank } from './evaluate/ranking.ts';
export { type ModelConfig, type ModelConfigInput, modelConfig } from './providers/config.ts';
export { type Api, type Dialect, type DialectName, dialectNames, dialects } from './providers/openai/dialects.ts';
export { createOpenAiProvider, type OpenAiOptions, type OpenAiProvider } from './providers/openai/provider.ts';
export type { HttpReply, HttpRequest, Transport } from './providers/openai/transport.ts';
export { type Check, type Needs, type ProbeReport, probeProvider, requireProvider } from './providers/probe.ts';
export type {
  CandidateLogprob,
  ChatInput,
  FinishReason,
  GenerateRequest,
  Generation,
  Input,
  Match,
  NextTokens,
  NextTokensRequest,
  Point,
  Provider,
  TextInput,
  Usage,
} from './providers/provider.ts';
export { type ScriptedOptions, type ScriptedProvider, scriptedProvider } from './providers/scripted.ts';
export { type Reward, type RewardRequest, rewards } from './reward/reward.ts';
export { scoreEncoded, sigmoid } from './scoring/score-encoded.ts';
export type { NoScore, Score, ScoreRequest, Scorer } from './scoring/scorer.ts';
export { type Category, defaultCategories } from './stages/categories.ts';
export { type Parsed, parseInstruction } from './stages/instruction.ts';
export { type Reason, reasons } from './stages/reasons.ts';
export { isRefusal } from './stages/refusals.ts';
export type { Shard, StageProgress, StageResult } from './stages/stage.ts';
export { holm } from './sweep/holm.ts';
export type { SweepCell, SweepComparison, SweepResult, SweepSet, SweepSummary } from './sweep/result.ts';
export { type AverageOptions, averageTeachers } from './teachers/average.ts';
export { type TeacherConfig, teacherConfig } from './teachers/config.ts';
export { type FamilyName, families, familyNames } from './teachers/families/index.ts';
export type { Family, Judged, Question } from './teachers/family.ts';
export { createLlmTeacher, type LlmTeacherOptions } from './teachers/llm-teacher.ts';
export type { Teacher } from './teachers/teacher.ts';
export type { Abstained, AbstainReason, Scored, Verdict } from './teachers/verdict.ts';
export { type ChatTemplate, readChatTemplate } from './templates/chat-template.ts';
export { createRenderer, type Message, type Render, type RenderOptions } from './templates/render.ts';
export { type Prompt, type Segment, textOf, write } from './templates/segments.ts';
export { applyTransform, type TransformedRows, type TransformOptions } from './transforms/apply.ts';
export { parseTransform, type Transform } from './transforms/spec.ts';
export { type TransformName, transformNames } from './transforms/table.ts';
