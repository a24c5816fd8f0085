/**
 * Whether a model does what a run needs of it, found out before the run begins. That it goes on from a prefix is judged by
 * its own words: what it writes by itself is cut in two, and from the first half it has to go on with the second. A
 * prefix that it would never write shows a server that leaves prefixes out, whatever its replies begin with. Only a few
 * tokens are asked for: a server that repeats the prefix gives it whole, a model that writes it again has no room for it.
 */
import { messageOf, ProviderError } from '../errors.ts';
import type { GenerateRequest, Provider } from './provider.ts';

export interface Needs {
  readonly prefix?: boolean;
  readonly logprobs?: boolean;
}

export interface Check {
  readonly name: 'answers' | 'prefix' | 'logprobs';
  readonly isPassed: boolean;
  /** What was found, and what to do where it is bad. */
  readonly finding: string;
}

export interface ProbeReport {
  readonly checks: readonly Check[];
  /** Of one short answer, alone. */
  readonly latencyMs: number | null;
  readonly tokensPerSecond: number | null;
}

const PROMPTS = ['Count from one to twenty in words.', 'Describe the sea in three sentences.', 'Tell a short story.'];
const TOKENS = 32;
const FEW_TOKENS = 4;
const FOREIGN_PREFIX = 'Quixotic zebras, purple teapots and';

/** Probes for what is needed; all checks are made, whatever the first ones find. */
export async function probeProvider(provider: Provider, needs: Needs, signal?: AbortSignal): Promise<ProbeReport> {
  const ask = (content: string): GenerateRequest => ({
    id: 'probe',
    input: { kind: 'chat', messages: [{ role: 'user', content }] },
    maxTokens: TOKENS,
    ...(signal ? { signal } : {}),
  });
  const checks: Check[] = [];
  const check = async (name: Check['name'], find: () => Promise<string>) => {
    try {
      checks.push({ name, isPassed: true, finding: await find() });
    } catch (error) {
      signal?.throwIfAborted();
      checks.push({ name, isPassed: false, finding: messageOf(error) });
    }
  };
  let latencyMs: number | null = null;
  let tokensPerSecond: number | null = null;
  await check('answers', async () => {
    const start = performance.now();
    const { usage } = await provider.generate(ask(PROMPTS[0]!));
    latencyMs = performance.now() - start;
    tokensPerSecond = (usage.completionTokens / latencyMs) * 1000;
    return `${usage.completionTokens} tokens in ${Math.round(latencyMs)} ms`;
  });
  if (latencyMs !== null && needs.prefix) await check('prefix', () => probePrefix(provider, ask));
  if (latencyMs !== null && needs.logprobs) await check('logprobs', () => probeLogprobs(provider, ask));
  return { checks, latencyMs, tokensPerSecond };
}

/**
 * The same as a condition.
 * @throws ProviderError 'unsupported' with everything that is wrong and what to do
 */
export async function requireProvider(provider: Provider, needs: Needs, signal?: AbortSignal): Promise<ProbeReport> {
  const report = await probeProvider(provider, needs, signal);
  const failed = report.checks.filter(({ isPassed }) => !isPassed);
  if (failed.length === 0) return report;
  const findings = failed.map(({ finding }) => finding).join(' ');
  throw new ProviderError(`Model "${provider.name}" cannot do what is needed. ${findings}`, {
    problem: 'unsupported',
    isRetryable: false,
  });
}

async function probePrefix(provider: Provider, ask: (content: string) => GenerateRequest): Promise<string> {
  const own = await provider.generate(ask(PROMPTS[0]!));
  const foreign = await provider.generate({ ...ask(PROMPTS[0]!), prefix: FOREIGN_PREFIX, maxTokens: FEW_TOKENS });
  if (beginsAlike(foreign.text, FOREIGN_PREFIX)) throw refusal('writes the prefix again instead of going on from it');
  if (beginsAlike(foreign.text, own.text)) throw refusal('ignores the prefix and begins anew');
  let failure = 'cannot be probed for prefixes: its answers are too short';
  for (const prompt of PROMPTS) {
    const { text } = await provider.generate(ask(prompt));
    const cut = text.indexOf(' ', text.length / 2);
    if (cut < 8 || text.length - cut < 8) continue;
    const { text: reply } = await provider.generate({
      ...ask(prompt),
      prefix: text.slice(0, cut),
      maxTokens: FEW_TOKENS,
    });
    if (beginsAlike(reply, text.slice(cut))) return 'goes on from a prefix';
    failure = beginsAlike(reply, text) ? 'ignores the prefix and begins anew' : 'does not go on from the prefix';
  }
  throw refusal(failure);
}

/** Whether the first words agree, space and what is cut off aside. */
function beginsAlike(one: string, other: string): boolean {
  const [a, b] = [one.trim(), other.trim()];
  const length = Math.min(a.length, b.length, 16);
  return length >= 4 && a.slice(0, length) === b.slice(0, length);
}

function refusal(problem: string): ProviderError {
  const remedy =
    'Use its completions with the model’s template (api: completions), another dialect, or another server.';
  return new ProviderError(`The model ${problem}. ${remedy}`, { problem: 'unsupported', isRetryable: false });
}

async function probeLogprobs(provider: Provider, ask: (content: string) => GenerateRequest): Promise<string> {
  const { id, input, signal } = ask(PROMPTS[0]!);
  const { text } = await provider.generate(ask(PROMPTS[0]!));
  const word = /^\s*[\p{L}\p{N}]+|^\s*\S/u.exec(text)?.[0] ?? '';
  const point = { after: '', positions: 'first' } as const;
  const { logprobs } = await provider.nextTokens({
    id,
    input,
    point,
    candidates: [word],
    match: 'exact',
    maxTokens: 4,
    ...(signal ? { signal } : {}),
  });
  if (typeof logprobs[0] === 'number')
    return `gives the probabilities of ${describeMost(provider.maxTopLogprobs)} tokens a place`;
  const found = logprobs[0] === 'missing' ? 'the token it wrote has none' : 'that of the token it wrote is no number';
  throw new ProviderError(`The server gives probabilities that cannot be used: ${found}. Ask another server.`, {
    problem: 'unsupported',
    isRetryable: false,
  });
}

const describeMost = (most: number) => (Number.isFinite(most) ? `up to ${most}` : 'all');
