/**
 * A run's calls kept as a file, and a provider that answers from it: JSON lines of `{ key, operation, id, answer }`. The
 * key is a hash of what was asked, so the order does not matter. The file holds texts, and is readable by its owner only.
 *
 * Completions made elsewhere, by a batch service say, are lines of `{ text, prompt }`: what is written when the user's last
 * message is `prompt`. Lines of `{ text }` alone are drawn from for any other call; which of them follows from the call.
 */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { FormatError } from 'onnx-grad';
import { ProviderError } from '../errors.ts';
import { isObject, parseJson } from '../text/json.ts';
import type { GenerateRequest, Generation, NextTokens, NextTokensRequest, Provider } from './provider.ts';

type Operation = 'generate' | 'nextTokens';

interface Recorded {
  readonly key: string;
  readonly operation: Operation;
  readonly id: string;
  readonly answer: Generation | NextTokens;
}

/** Hash of all that can change an answer: not the id, not the signal. */
function keyOf(operation: Operation, { id: _, signal: __, ...asked }: GenerateRequest | NextTokensRequest): string {
  const entries = Object.entries(asked).filter(([, value]) => value !== undefined);
  const text = JSON.stringify([operation, ...entries.sort(([a], [b]) => (a < b ? -1 : 1))]);
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/**
 * Passes calls on and writes down every answer as it comes; failed calls are not written.
 * @param file made if it is not there, added to if it is
 */
export function recordProvider(provider: Provider, file: string): Provider {
  const handle = openSync(file, 'a', 0o600);
  const keep = <Answer extends Generation | NextTokens>(
    operation: Operation,
    request: GenerateRequest | NextTokensRequest,
    answer: Answer,
  ): Answer => {
    const recorded: Recorded = { key: keyOf(operation, request), operation, id: request.id, answer };
    writeSync(handle, `${JSON.stringify(recorded)}\n`);
    return answer;
  };
  return {
    ...provider,
    generate: async (request) => keep('generate', request, await provider.generate(request)),
    nextTokens: async (request) => keep('nextTokens', request, await provider.nextTokens(request)),
    async dispose() {
      closeSync(handle);
      await provider.dispose();
    },
  };
}

/** What a file answers with. */
interface Recording {
  /** By the call's key. */
  readonly calls: ReadonlyMap<string, unknown[]>;
  /** By the user's last message. */
  readonly completions: ReadonlyMap<string, string[]>;
  /** For any other call. */
  readonly pool: readonly string[];
}

/**
 * Answers from such a file. Of calls that were asked several times the answers come in turn, the last one again and again.
 * @throws FormatError for a file that is no recording; later, ProviderError for a call that is not in it
 */
export function replayProvider(
  file: string,
  {
    name = 'replayed',
    rendersHere = true,
    maxTopLogprobs = 20,
  }: Partial<Pick<Provider, 'name' | 'rendersHere' | 'maxTopLogprobs'>> = {},
): Provider {
  const { calls, completions, pool } = readRecording(file);
  const missing = ({ id }: GenerateRequest | NextTokensRequest) =>
    new ProviderError(`Call ${id}: ${file} has no answer to it. It was recorded with other settings, or not at all.`, {
      problem: 'unsupported',
      isRetryable: false,
    });
  const recorded = <Answer>(key: string): Answer | undefined => {
    const found = calls.get(key);
    return (found && found.length > 1 ? found.shift() : found?.[0]) as Answer | undefined;
  };
  return {
    name,
    about: { provider: 'replayed' },
    rendersHere,
    maxTopLogprobs,
    async generate(request) {
      request.signal?.throwIfAborted();
      const key = keyOf('generate', request);
      const found = recorded<Generation>(key);
      if (found) return found;
      const texts = completions.get(lastMessage(request)) ?? pool;
      if (texts.length === 0) throw missing(request);
      return completion(texts[Number.parseInt(key.slice(0, 12), 16) % texts.length]!);
    },
    async nextTokens(request) {
      request.signal?.throwIfAborted();
      const found = recorded<NextTokens>(keyOf('nextTokens', request));
      if (!found) throw missing(request);
      return found;
    },
    async dispose() {},
  };
}

const lastMessage = ({ input }: GenerateRequest) =>
  input.kind === 'chat' ? (input.messages.at(-1)?.content.trim() ?? '') : '';

function completion(text: string): Generation {
  const usage = { promptTokens: 0, completionTokens: 0 };
  return { text, finishReason: 'stop', rawFinishReason: 'stop', usage, warnings: [] };
}

function readRecording(file: string): Recording {
  const calls = new Map<string, unknown[]>();
  const completions = new Map<string, string[]>();
  const pool: string[] = [];
  const lines = readFileSync(file, 'utf8').split('\n');
  for (const [index, line] of lines.entries()) {
    if (line === '') continue;
    const read = parseJson(line);
    if (isObject(read) && typeof read.key === 'string' && isObject(read.answer)) append(calls, read.key, read.answer);
    else if (isObject(read) && typeof read.text === 'string' && typeof read.prompt === 'string')
      append(completions, read.prompt.trim(), read.text);
    else if (isObject(read) && typeof read.text === 'string' && read.prompt === undefined) pool.push(read.text);
    else if (index === lines.length - 1)
      break; // cut off when the process ended
    else
      throw new FormatError(`${file} line ${index + 1} is no recorded call, and no completion with "text".`, { file });
  }
  return { calls, completions, pool };
}

function append<Item>(lists: Map<string, Item[]>, key: string, item: Item): void {
  const list = lists.get(key);
  if (list) list.push(item);
  else lists.set(key, [item]);
}
