/** Error replies as errors of ours: what the server said, without the texts it may repeat, and what to do about it. */
import { ProviderError, type ProviderProblem } from '../../errors.ts';
import { parseJson } from '../../text/json.ts';

export interface ErrorReply {
  readonly status: number;
  readonly body: string;
  readonly header: (name: string) => string | undefined;
}

export interface ErrorContext {
  /** Address without its query. */
  readonly endpoint: string;
  readonly model: string;
  /** Never shown: texts of the request, keys. */
  readonly hidden: readonly string[];
  /** Names of the environment variable that holds the key, for the remedy. */
  readonly keyName?: string | undefined;
  readonly nowMs: number;
}

const retryableStatuses = new Set([408, 409, 425, 429, 500, 502, 503, 504, 522, 524, 529]);
const overloadStatuses = new Set([429, 503, 529]);
const TOO_LONG =
  /context length|context size|maximum context|too long|too large|exceed[s]? .*(context|token)|`inputs` tokens/i;

export function httpError(reply: ErrorReply, context: ErrorContext): ProviderError {
  const { status } = reply;
  const said = hide(serverMessage(reply.body), context.hidden).slice(0, 300);
  const retryAfterMs = readRetryAfter(reply, context.nowMs);
  const problem = problemOf(status, said);
  const quoted = said === '' ? '' : `: ${said}`;
  const message = `${context.endpoint} answered ${status}${quoted}${/[.!?]$/.test(quoted) ? '' : '.'}`;
  const remedy = remedyFor(status, problem, context);
  return new ProviderError(remedy === '' ? message : `${message} ${remedy}`, {
    problem,
    status,
    isRetryable: retryableStatuses.has(status),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

function problemOf(status: number, said: string): ProviderProblem {
  if (overloadStatuses.has(status)) return 'overload';
  if ((status === 400 || status === 413 || status === 422) && TOO_LONG.test(said)) return 'too-long';
  return 'status';
}

function remedyFor(status: number, problem: ProviderProblem, { model, keyName }: ErrorContext): string {
  if (status === 401 || status === 403) {
    return keyName === undefined
      ? 'It wants a key: name its environment variable as "apiKeyEnv".'
      : `Check the key in ${keyName}.`;
  }
  if (status === 404) return `Check the endpoint, which usually ends in /v1, and the model "${model}".`;
  if (problem === 'status' && (status === 400 || status === 422)) return 'Check the dialect, or name another one.';
  return '';
}

/** Where servers put their words: OpenAI and vLLM, TGI, FastAPI's list of findings, Mistral, plain text not at all. */
function serverMessage(body: string): string {
  const json = parseJson(body) as Record<string, unknown> | undefined;
  if (typeof json !== 'object' || json === null) return '';
  const { error, message, detail } = json as { error?: unknown; message?: unknown; detail?: unknown };
  for (const value of [(error as { message?: unknown } | undefined)?.message, error, message, detail]) {
    if (typeof value === 'string') return value.replace(/\s+/g, ' ').trim();
    const findings = Array.isArray(value) ? value : (value as { detail?: unknown } | undefined)?.detail;
    if (Array.isArray(findings)) return findings.map(describeFinding).filter(Boolean).join('; ');
  }
  return '';
}

/** Place and message of a pydantic finding; its "input" repeats the request. */
function describeFinding(finding: unknown): string {
  const { loc, msg } = (finding ?? {}) as { loc?: unknown; msg?: unknown };
  return typeof msg === 'string' ? `${Array.isArray(loc) ? `${loc.join('.')}: ` : ''}${msg}` : '';
}

const SHORTEST_ECHO = 12;

/** Takes out every stretch of twelve or more characters that is also in a hidden text, and hidden texts that are shorter. */
export function hide(message: string, hidden: readonly string[]): string {
  let shown = '';
  for (let at = 0; at < message.length; ) {
    let length = 0;
    for (const text of hidden) {
      const least = Math.min(SHORTEST_ECHO, text.length);
      if (least < 4 || at + least > message.length || !text.includes(message.slice(at, at + least))) continue;
      let reach = least;
      while (at + reach < message.length && text.includes(message.slice(at, at + reach + 1))) reach++;
      length = Math.max(length, reach);
    }
    shown += length > 0 ? '…' : message[at]!;
    at += Math.max(1, length);
  }
  return shown;
}

/** Seconds, a date, or milliseconds by OpenAI's own header. */
function readRetryAfter({ header }: ErrorReply, nowMs: number): number | undefined {
  const milliseconds = Number(header('retry-after-ms') ?? Number.NaN);
  if (Number.isFinite(milliseconds)) return Math.max(0, milliseconds);
  const value = header('retry-after');
  if (value === undefined) return undefined;
  const seconds = Number(value);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - nowMs;
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
