/** A GGUF in this process: exact probabilities, calls computed side by side, what a prompt shares with the one before kept. */
import type { LlamaContextSequence, Token } from 'node-llama-cpp';
import { ProviderError } from '../../errors.ts';
import { createRenderer } from '../../templates/render.ts';
import { completePrompt } from '../complete-prompt.ts';
import type {
  CandidateLogprob,
  GenerateRequest,
  Generation,
  NextTokens,
  NextTokensRequest,
  Provider,
} from '../provider.ts';
import { findPoint, logSumExp } from '../read-point.ts';
import { controlsOf, type OpenGgufOptions, openGguf, templateOf } from './open.node.ts';
import { Sequences } from './sequences.ts';
import { Vocabulary } from './vocabulary.ts';

export interface LlamaCppOptions extends OpenGgufOptions {
  readonly name?: string;
  /** Jinja, in place of the file's own template. */
  readonly template?: string | undefined;
  /** Calls computed at once. Default 4. */
  readonly sequences?: number;
  /** Tokens of one call, prompt and answer. Default: what the model was trained on, at most 8192. */
  readonly contextSize?: number | undefined;
  /**
   * Whether what a prompt shares with the one before is kept. Default true. Without, an answer does not depend on the calls
   * before it, to the last bit: kernels round otherwise for other lengths.
   */
  readonly reuse?: boolean | undefined;
}

const MOST_CONTEXT = 8192;

/** One token of an answer and how likely others were in its place. */
interface Step {
  readonly token: Token;
  readonly probabilities: ReadonlyMap<Token, number> | undefined;
}

/**
 * @example
 * const provider = await openLlamaCppProvider({ model: 'models/guard.gguf', sequences: 8 });
 */
export async function openLlamaCppProvider(options: LlamaCppOptions): Promise<Provider> {
  const { llama, model } = await openGguf(options);
  const contextSize = options.contextSize ?? Math.min(model.trainContextSize, MOST_CONTEXT);
  const context = await model.createContext({ sequences: options.sequences ?? 4, contextSize });
  const template = templateOf(model, options.template);
  const local = template === null ? null : { template, render: createRenderer(template) };
  const vocabulary = new Vocabulary(model, template?.controls ?? controlsOf(model));
  const sequences = new Sequences(context);
  const { reuse = true } = options;

  function encode({ id, input, prefix = '', maxTokens }: GenerateRequest | NextTokensRequest): Token[] {
    const tokens = vocabulary.encode(completePrompt(input, prefix, local));
    if (tokens.length + maxTokens <= contextSize) return tokens;
    const problem = `${tokens.length} tokens and ${maxTokens} for the answer do not fit into the ${contextSize} of the context`;
    throw new ProviderError(`Call ${id}: ${problem}. Raise contextSize, or leave the row out.`, {
      problem: 'too-long',
      isRetryable: false,
    });
  }

  return {
    name: options.name ?? model.filename ?? options.model,
    about: { provider: 'llama.cpp', model: options.model, contextSize },
    rendersHere: true,
    maxTopLogprobs: Number.POSITIVE_INFINITY,

    async generate(request): Promise<Generation> {
      const { maxTokens, temperature = 0, topP, seed, stop = [], signal } = request;
      const prompt = encode(request);
      return sequences.use(signal, async (sequence) => {
        const sampling = {
          temperature,
          ...(topP === undefined ? {} : { topP }),
          ...(seed === undefined ? {} : { seed }),
        };
        const written: Token[] = [];
        for await (const { token } of walk(sequence, prompt, maxTokens, { sampling, reuse, signal })) {
          if (model.isEogToken(token)) return generation('stop', 'eos');
          written.push(token);
          const text = vocabulary.decode(written, prompt);
          const ends = stop.map((word) => text.indexOf(word)).filter((at) => at >= 0);
          if (ends.length > 0) return generation('stop', 'stop', text.slice(0, Math.min(...ends)));
        }
        return generation('length', 'length');

        function generation(
          finishReason: 'stop' | 'length',
          rawFinishReason: string,
          text = vocabulary.decode(written, prompt),
        ): Generation {
          const usage = { promptTokens: prompt.length, completionTokens: written.length };
          return { text, finishReason, rawFinishReason, usage, warnings: [] };
        }
      });
    },

    async nextTokens(request): Promise<NextTokens> {
      const { point, candidates, match, maxTokens, signal } = request;
      const prompt = encode(request);
      return sequences.use(signal, async (sequence) => {
        const written: Token[] = [];
        const texts: { text: string }[] = [];
        const found: CandidateLogprob[][] = []; // one list a position read
        let begins: number | null = null;
        const needsMore = () => begins === null || point.positions === 'every';
        for await (const { token, probabilities } of walk(sequence, prompt, maxTokens, {
          wantsProbabilities: needsMore,
          reuse,
          signal,
        })) {
          const before = [...prompt, ...written];
          texts.push({ text: vocabulary.decodeOne(token, before) });
          begins ??= findPoint(texts, point.after);
          if (begins !== null && probabilities) {
            found.push(candidates.map((word) => logprobOf(vocabulary.tokensOf(word, match, before), probabilities)));
          }
          if (model.isEogToken(token)) break;
          written.push(token);
        }
        return {
          isPointReached: begins !== null,
          logprobs: candidates.map((_, index) => addUp(found.map((list) => list[index]!))),
          text: vocabulary.decode(written, prompt),
          usage: { promptTokens: prompt.length, completionTokens: written.length },
        };
      });
    },

    async dispose() {
      await context.dispose();
      await model.dispose();
      await llama.dispose();
    },
  };
}

interface WalkOptions {
  readonly sampling?: { readonly temperature: number; readonly topP?: number; readonly seed?: number };
  /** Asked before each token. */
  readonly wantsProbabilities?: () => boolean;
  readonly reuse: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Token after token behind a prompt; what the sequence already holds of the prompt is not computed again. */
async function* walk(
  sequence: LlamaContextSequence,
  prompt: readonly Token[],
  maxTokens: number,
  { sampling = { temperature: 0 }, wantsProbabilities = () => false, reuse, signal }: WalkOptions,
): AsyncGenerator<Step> {
  if (!reuse) await sequence.clearHistory();
  await sequence.adaptStateToTokens(prompt.slice(0, -1), false);
  let pending = prompt.slice(sequence.nextTokenIndex);
  for (let count = 0; count < maxTokens; count++) {
    signal?.throwIfAborted();
    const { seed } = sampling; // each step draws from a generator of its own, so each needs a seed of its own
    const options =
      seed === undefined ? sampling : { ...sampling, seed: (seed + Math.imul(count + 1, 0x9e3779b9)) >>> 0 };
    const next = { token: true, probabilities: wantsProbabilities(), options };
    const last = pending.at(-1)!;
    const outputs = await sequence.controlledEvaluate([...pending.slice(0, -1), [last, { generateNext: next }]]);
    const { token, probabilities } = outputs.at(-1)!.next;
    if (token === null || token === undefined) return;
    yield { token, probabilities };
    pending = [token];
  }
}

function logprobOf(tokens: readonly Token[], probabilities: ReadonlyMap<Token, number>): CandidateLogprob {
  const found = tokens.map((token) => probabilities.get(token)).filter((p) => p !== undefined);
  if (found.some(Number.isNaN)) return 'not-a-number';
  const sum = found.reduce((total, p) => total + p, 0);
  return sum === 0 ? 'missing' : Math.log(Math.min(1, sum));
}

function addUp(logprobs: readonly CandidateLogprob[]): CandidateLogprob {
  if (logprobs.includes('not-a-number')) return 'not-a-number';
  const numbers = logprobs.filter((logprob) => logprob !== 'missing') as number[];
  return numbers.length === 0 ? 'missing' : logSumExp(numbers);
}
