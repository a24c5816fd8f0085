/** The recipe's models as they are needed: each opened once, its prefix tried once a run folder. */
import type { CallWriter } from '../ledger/calls.node.ts';
import { hashKey } from '../ledger/key.node.ts';
import type { ModelConfig } from '../providers/config.ts';
import { createProvider } from '../providers/create.node.ts';
import { requireProvider } from '../providers/probe.ts';
import type { Provider, Usage } from '../providers/provider.ts';
import type { NamedModel, Pipeline } from './pipeline.node.ts';
import { costOf } from './prices.ts';

export class Models {
  readonly #folder: string;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #opened = new Map<string, Promise<Provider>>();

  constructor({ folder }: Pipeline, env: Readonly<Record<string, string | undefined>>) {
    this.#folder = folder;
    this.#env = env;
  }

  open({ name, config }: NamedModel): Promise<Provider> {
    const known = this.#opened.get(JSON.stringify(config));
    if (known) return known;
    const opening = createProvider(config, { name, folder: this.#folder, env: this.#env });
    this.#opened.set(JSON.stringify(config), opening);
    return opening;
  }

  async dispose(): Promise<void> {
    for (const opening of this.#opened.values()) await (await opening.catch(() => null))?.dispose();
  }
}

/** Calls that keep a model busy. */
export function callsAtOnce(config: ModelConfig): number {
  if (config.provider === 'openai') return config.concurrency * (config.endpoints?.length ?? 1);
  return config.provider === 'llama.cpp' ? config.sequences * 2 : 32;
}

/**
 * Makes sure that the model goes on from a prefix, by asking it once in the life of a run folder. Where prompts are put
 * together here it always does.
 * @throws ProviderError 'unsupported'
 */
export async function requirePrefix(
  model: NamedModel,
  provider: Provider,
  writer: CallWriter,
  signal: AbortSignal,
): Promise<void> {
  const { name, config, price } = model;
  if (config.provider !== 'openai' || provider.rendersHere) return;
  const key = hashKey(['probe', config.dialect, provider.about, config.endpoints ?? []]);
  if (writer.has(key)) return;
  const startMs = performance.now();
  const usage = { promptTokens: 0, completionTokens: 0 };
  await requireProvider(counting(provider, usage), { prefix: true }, signal);
  const cost = costOf(price, usage);
  writer.add({ key, stage: 'probe', model: name, answer: null, usage, cost, ms: performance.now() - startMs });
  writer.flush();
}

function counting(provider: Provider, total: { -readonly [Field in keyof Usage]: number }): Provider {
  return {
    ...provider,
    async generate(request) {
      const generation = await provider.generate(request);
      total.promptTokens += generation.usage.promptTokens;
      total.completionTokens += generation.usage.completionTokens;
      return generation;
    },
  };
}
