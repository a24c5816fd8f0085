/** The guard's core, for any runtime that gives it a `Classify`; `@harmaug/guard/node` and `@harmaug/guard/web` bring one. */
export {
  type CheckOptions,
  type GuardAnswer,
  type GuardApi,
  GuardCore,
  type GuardParts,
  type GuardRequest,
} from './guard.ts';
export { type Dtype, dtypes, type GuardOptions, type LoadProgress, modelFiles } from './load.ts';
export type { Classify } from './scoring/queue.ts';
export { defaultSettings, type GuardSettings, readSettings } from './settings.ts';
export { FetchError } from './sources/fetch-error.ts';
export type { GuardStream, StreamApi, StreamOptions } from './stream.ts';
export { type FoundView, findViews } from './views/find.ts';
export type { ViewName } from './views/views.ts';
export type { Place } from './windows.ts';
