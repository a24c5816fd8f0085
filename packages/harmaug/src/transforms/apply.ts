/** Transforms over rows: the same rows, disguised. */
import { mulberry32 } from '@harmaug/models';
import { ConfigError } from 'onnx-grad';
import { MAX_TEXT_CHARACTERS, type Row } from '../data/row.ts';
import { hashText } from '../dedup/hash.ts';
import type { Provider } from '../providers/provider.ts';
import { parseTransform, type Transform } from './spec.ts';
import { type Changed, type Field, transforms } from './table.ts';

export interface TransformOptions {
  /** Of what is drawn, with the row's id: a row is changed alike wherever it stands. Default 0. */
  readonly seed?: number;
  /** Writes translations; needed for `translate` alone. */
  readonly provider?: Provider;
  /** Calls of the provider at once. Default 8. */
  readonly concurrency?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number) => void;
}

export interface TransformedRows {
  /** In order. `id` and `source` name the transform; label, soft label and category are those of the original. */
  readonly rows: readonly Row[];
  /** What each was made from. */
  readonly originals: readonly Row[];
  /** Rows left out, by reason. */
  readonly skipped: ReadonlyMap<string, number>;
}

/**
 * @param transform `caesar:3`, or what `parseTransform` made of it
 * @example const { rows } = await applyTransform(await readRows(['test.jsonl']), 'caesar:3');
 * @throws ConfigError for a spec that is none, `translate` without a provider; ProviderError where asking failed
 */
export async function applyTransform(
  rows: readonly Row[],
  transform: string | Transform,
  options: TransformOptions = {},
): Promise<TransformedRows> {
  const parsed = typeof transform === 'string' ? parseTransform(transform) : transform;
  const { provider, concurrency = 8, signal = new AbortController().signal, onProgress } = options;
  if (parsed.needsModel && provider === undefined)
    throw new ConfigError(
      `${parsed.spec}: translating needs a language model: harmaug transform --recipe … --model ….`,
    );
  const results: (Row | { readonly skip: string })[] = new Array(rows.length);
  let next = 0;
  let done = 0;
  const worker = async () => {
    while (next < rows.length) {
      signal.throwIfAborted();
      const index = next++;
      results[index] = await changeRow(rows[index]!, parsed, { ...options, signal });
      onProgress?.(++done);
    }
  };
  await Promise.all(Array.from({ length: Math.min(parsed.needsModel ? concurrency : 1, rows.length) }, worker));

  const changed: Row[] = [];
  const originals: Row[] = [];
  const skipped = new Map<string, number>();
  results.forEach((result, index) => {
    if ('skip' in result) skipped.set(result.skip, (skipped.get(result.skip) ?? 0) + 1);
    else {
      changed.push(result);
      originals.push(rows[index]!);
    }
  });
  return { rows: changed, originals, skipped };
}

type RowOptions = TransformOptions & { readonly signal: AbortSignal };

async function changeRow(
  row: Row,
  transform: Transform,
  options: RowOptions,
): Promise<Row | { readonly skip: string }> {
  const prompt = await changeText(row, 'prompt', row.prompt, transform, options);
  if (typeof prompt !== 'string') return prompt;
  const { response: given } = row;
  const response = given === undefined ? undefined : await changeText(row, 'response', given, transform, options);
  if (response !== undefined && typeof response !== 'string') return response;
  const { spec } = transform;
  return {
    ...row,
    id: `${row.id}~${spec}`,
    prompt,
    ...(response === undefined ? {} : { response }),
    source: row.source === undefined ? spec : `${row.source}~${spec}`,
  };
}

async function changeText(
  { id }: Row,
  field: Field,
  text: string,
  { steps, only, spec }: Transform,
  { seed = 0, provider, signal }: RowOptions,
): Promise<Changed> {
  const uniform = mulberry32(hashText(`${id}\n${field}\n${spec}`, 0, undefined, seed));
  let changed = text;
  for (const { name, value } of steps) {
    const { fields, change } = transforms[name];
    if (changed === '' || !(only === null ? fields : [only]).includes(field)) continue;
    const result = await change(changed, value, {
      id: `${id} (${field})`,
      uniform,
      provider: provider ?? null,
      signal,
    });
    if (typeof result !== 'string') return result;
    changed = result;
  }
  return changed.length > MAX_TEXT_CHARACTERS ? { skip: 'too long when transformed' } : changed;
}
