/** The guard's core, for any runtime that gives it a `Classify`; `@harmaug/guard/node` brings one. */
export {
  type CheckOptions,
  type GuardAnswer,
  GuardCore,
  type GuardParts,
  type GuardRequest,
} from './guard.ts';
export type { Classify } from './scoring/queue.ts';
export { defaultSettings, type GuardSettings, readSettings } from './settings.ts';
export type { GuardStream, StreamOptions } from './stream.ts';
export type { ViewName } from './views/views.ts';
export type { Place } from './windows.ts';
