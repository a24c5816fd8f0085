import { isObject, type JsonObject, quote } from '../files/json.ts';
import { type PreTokenizerName, preTokenizers } from './pre-tokenizers.ts';
import { refusal } from './refusal.ts';

/** Which of llama.cpp's tokenizers a tokenizer.json is, by its normalizer and pre-tokenizer. */

/** Byte-level: by the pattern that cuts words, and by whether whole words come before merges. @throws ConfigError */
export function matchByteLevel(
  json: JsonObject,
  ignoresMerges: boolean,
): { readonly preTokenizer: PreTokenizerName; readonly differences: readonly string[] } {
  const differences = [];
  if (isObject(json.normalizer) && json.normalizer.type === 'NFC') {
    differences.push('Texts are not brought into NFC: composed and decomposed accents give different tokens.');
  } else if (json.normalizer !== null && json.normalizer !== undefined) {
    throw refusal('normalizer', `is ${typeOf(json.normalizer)}`, 'none, or NFC');
  }
  const form = canonical(json.pre_tokenizer);
  const same = preTokenizers.filter(({ forms }) => forms.some((known) => canonical(known) === form));
  const found = same.find((row) => row.ignoresMerges === ignoresMerges);
  if (found !== undefined) return { preTokenizer: found.name, differences };
  if (same.length > 0) {
    throw refusal('model.ignore_merges', `is ${ignoresMerges}`, `${!ignoresMerges} with this pre_tokenizer`);
  }
  const known = preTokenizers.map(({ name }) => name).join(', ');
  throw refusal('pre_tokenizer', `is ${typeOf(json.pre_tokenizer)} of another form`, `that of ${known}`);
}

function typeOf(value: unknown): string {
  return isObject(value) ? quote(String(value.type)) : 'absent';
}

/** What files of some years leave out. */
const defaults: Readonly<Record<string, JsonObject>> = {
  ByteLevel: { add_prefix_space: true, use_regex: true },
  Split: { invert: false },
};

/** A pre-tokenizer with everything that changes words, and nothing else: not where tokens begin, nor the order of keys. */
function canonical(value: unknown): string {
  if (!isObject(value)) return JSON.stringify(value ?? null);
  const { trim_offsets: _, ...stated } = value;
  const whole = { ...defaults[String(value.type)], ...stated };
  const members = Array.isArray(whole.pretokenizers) ? { pretokenizers: whole.pretokenizers.map(canonical) } : {};
  const entries = Object.entries({ ...whole, ...members });
  return JSON.stringify(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const MARK = '▁';

/** SentencePiece's: by how a text gets its first space. @throws ConfigError */
export function matchSentencePiece(
  json: JsonObject,
  tokens: readonly string[],
): { readonly addsSpace: boolean; readonly differences: readonly string[] } {
  const steps = stepsOf(json.normalizer);
  const words = json.pre_tokenizer ?? null;
  const isReplace = (step: unknown) => {
    return (
      isObject(step) &&
      step.type === 'Replace' &&
      isObject(step.pattern) &&
      step.pattern.String === ' ' &&
      step.content === MARK
    );
  };
  const isPrepend = (step: unknown) => isObject(step) && step.type === 'Prepend' && step.prepend === MARK;
  if (words === null && steps.length === 1 && isReplace(steps[0])) return { addsSpace: false, differences: [] };
  if (words === null && steps.length === 2 && isPrepend(steps[0]) && isReplace(steps[1])) {
    return { addsSpace: true, differences: [] };
  }
  if (steps.length > 0 || !isObject(words) || words.type !== 'Metaspace' || (words.replacement ?? MARK) !== MARK) {
    throw refusal('normalizer and pre_tokenizer', 'are of another form', 'Prepend and Replace of spaces, or Metaspace');
  }
  const inner = tokens.findIndex((token) => token.includes(MARK, 1));
  if (words.split !== false && inner >= 0) {
    throw refusal(
      'pre_tokenizer',
      `cuts before spaces, which token ${inner} has inside`,
      'split false, or no such token',
    );
  }
  const scheme = words.add_prefix_space === false ? 'never' : (words.prepend_scheme ?? 'always');
  if (scheme === 'never') return { addsSpace: false, differences: [] };
  const everywhere = 'A text that begins with a space gets another one.';
  const first = 'A space is put after every control token in a text, not at its beginning alone.';
  return { addsSpace: true, differences: scheme === 'first' ? [everywhere, first] : [everywhere] };
}

function stepsOf(normalizer: unknown): readonly unknown[] {
  if (normalizer === null || normalizer === undefined) return [];
  const list = isObject(normalizer) && normalizer.type === 'Sequence' ? normalizer.normalizers : [normalizer];
  return Array.isArray(list) ? list : [normalizer];
}
