import type { JsonObject } from '../files/json.ts';
import { preTokenizerNamed } from './pre-tokenizers.ts';
import { mergesOfScores } from './spm-order.ts';
import type { TokenRole, Vocabulary } from './vocabulary.ts';

/**
 * tokenizer.json and tokenizer_config.json of a vocabulary, so that a GGUF's tokenizer can be saved beside weights and
 * opened by transformers.
 * @throws ConfigError for a vocabulary that no tokenizer.json describes
 */
export function filesOfVocabulary(vocabulary: Vocabulary): Map<string, Uint8Array> {
  const { tokens, kinds, roles, addsBos, addsEos, chatTemplate } = vocabulary;
  const added = tokens.flatMap((content, id) => {
    const special = kinds[id] === 'control' || kinds[id] === 'unknown';
    if (!special && kinds[id] !== 'user-defined') return [];
    return [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special }];
  });
  const used = tokens.map((token, id) => [token, id] as const).filter(([, id]) => kinds[id] !== 'unused');
  const nameOf = (role: TokenRole) => (roles[role] === undefined ? null : tokens[roles[role]]!);
  const { model, ...parts } = vocabulary.model === 'gpt2' ? byteLevelParts(vocabulary) : sentencePieceParts(vocabulary);
  const tokenizer = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    ...parts,
    post_processor: postProcessor(vocabulary),
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: nameOf('unk'),
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      ...model,
      vocab: Object.fromEntries(used),
    },
  };
  const config = {
    tokenizer_class: 'PreTrainedTokenizerFast',
    bos_token: nameOf('bos'),
    eos_token: nameOf('eos'),
    unk_token: nameOf('unk'),
    pad_token: nameOf('pad'),
    add_bos_token: addsBos,
    add_eos_token: addsEos,
    clean_up_tokenization_spaces: false,
    ...(chatTemplate === undefined ? {} : { chat_template: chatTemplate }),
  };
  const encode = (json: JsonObject) => new TextEncoder().encode(`${JSON.stringify(json)}\n`);
  return new Map([
    ['tokenizer.json', encode(tokenizer)],
    ['tokenizer_config.json', encode(config)],
  ]);
}

interface Parts {
  readonly normalizer: JsonObject | null;
  readonly pre_tokenizer: JsonObject | null;
  readonly decoder: JsonObject;
  readonly model: JsonObject;
}

function byteLevelParts({ merges, preTokenizer }: Vocabulary & { model: 'gpt2' }): Parts {
  const { forms, ignoresMerges } = preTokenizerNamed(preTokenizer);
  return {
    normalizer: null,
    pre_tokenizer: forms[0]!,
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    model: { fuse_unk: false, byte_fallback: false, ignore_merges: ignoresMerges, merges },
  };
}

function sentencePieceParts({ tokens, kinds, scores, addsSpace }: Vocabulary & { model: 'llama' }): Parts {
  const replace = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
  const normalizer = { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: '▁' }, replace] };
  const decoders: JsonObject[] = [
    { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
    { type: 'ByteFallback' },
    { type: 'Fuse' },
  ];
  if (addsSpace) decoders.push({ type: 'Strip', content: ' ', start: 1, stop: 0 });
  return {
    normalizer: addsSpace ? normalizer : replace,
    pre_tokenizer: null,
    decoder: { type: 'Sequence', decoders },
    model: { fuse_unk: true, byte_fallback: true, ignore_merges: false, merges: mergesOfScores(tokens, kinds, scores) },
  };
}

function postProcessor({ tokens, roles, addsBos, addsEos }: Vocabulary): JsonObject {
  if (!addsBos && !addsEos) return { type: 'ByteLevel', add_prefix_space: true, trim_offsets: false, use_regex: true };
  const names = { bos: addsBos ? tokens[roles.bos!]! : null, eos: addsEos ? tokens[roles.eos!]! : null };
  const token = (name: string | null, typeId: number) => {
    return name === null ? [] : [{ SpecialToken: { id: name, type_id: typeId } }];
  };
  const around = (id: 'A' | 'B', typeId: number) => [
    ...token(names.bos, typeId),
    { Sequence: { id, type_id: typeId } },
    ...token(names.eos, typeId),
  ];
  const special = Object.values(names).filter((name) => name !== null);
  return {
    type: 'TemplateProcessing',
    single: around('A', 0),
    pair: [...around('A', 0), ...around('B', 1)],
    special_tokens: Object.fromEntries(
      special.map((name) => [name, { id: name, ids: [tokens.indexOf(name)], tokens: [name] }]),
    ),
  };
}
