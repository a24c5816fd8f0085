/**
 * A run's calls kept as a file, and a provider that answers from it: JSON lines of `{ key, operation, id, answer }`. The
 * key is a hash of what was asked, so the order does not matter. The file holds texts, and is readable by its owner only.
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
  const answers = readRecording(file);
  const next = <Answer>(operation: Operation, request: GenerateRequest | NextTokensRequest): Answer => {
    request.signal?.throwIfAborted();
    const found = answers.get(keyOf(operation, request));
    if (found === undefined) {
      const message = `Call ${request.id}: ${file} has no answer to it. It was recorded with other settings, or not at all.`;
      throw new ProviderError(message, { problem: 'unsupported', isRetryable: false });
    }
    return (found.length > 1 ? found.shift() : found[0]) as Answer;
  };
  return {
    name,
    about: { provider: 'replayed' },
    rendersHere,
    maxTopLogprobs,
    generate: async (request) => next<Generation>('generate', request),
    nextTokens: async (request) => next<NextTokens>('nextTokens', request),
    async dispose() {},
  };
}

function readRecording(file: string): Map<string, unknown[]> {
  const answers = new Map<string, unknown[]>();
  const lines = readFileSync(file, 'utf8').split('\n');
  for (const [index, line] of lines.entries()) {
    if (line === '') continue;
    const recorded = parseJson(line);
    if (!isObject(recorded) || typeof recorded.key !== 'string' || !isObject(recorded.answer)) {
      if (index === lines.length - 1) break; // cut off when the process ended
      throw new FormatError(`${file} line ${index + 1} is no recorded call.`, { file });
    }
    answers.set(recorded.key, [...(answers.get(recorded.key) ?? []), recorded.answer]);
  }
  return answers;
}
