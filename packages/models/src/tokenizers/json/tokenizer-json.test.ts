import fc from 'fast-check';
import { ConfigError, FormatError } from 'onnx-grad';
import { describe, expect, it } from 'vitest';
import { type FixtureName, readTokenizerFiles } from '../../../test/tokenizer-fixtures.node.ts';
import type { JsonObject } from '../../files/json.ts';
import { buildTokenizer, createJsonTokenizer } from './tokenizer-json.ts';

const bytesOf = (name: FixtureName) => readTokenizerFiles(name).get('tokenizer.json')!;
const parse = (name: FixtureName) => JSON.parse(new TextDecoder().decode(bytesOf(name))) as JsonObject;
const parsed = parse('wordpiece');
const build = (changes: JsonObject, config: JsonObject = {}) => {
  return buildTokenizer({ ...structuredClone(parsed), ...changes }, 'tokenizer.json', config, {});
};

describe('a damaged tokenizer.json is refused, by field:', () => {
  const wordPiece = (changes: JsonObject) => ({ model: { ...(parsed.model as JsonObject), ...changes } });
  const unigram = (changes: JsonObject) => {
    return { model: { type: 'Unigram', unk_id: 0, vocab: [['[PAD]', 0]], ...changes } };
  };
  const bpe = (changes: JsonObject) => {
    return { model: { type: 'BPE', vocab: { '[PAD]': 0, a: 1, b: 2, ab: 3 }, merges: [['a', 'b']], ...changes } };
  };
  it.each([
    ['no model', { model: null }, 'model must be an object'],
    [
      'an unknown model',
      { model: { type: 'Word2Vec' } },
      'model.type is "Word2Vec". Supported: WordPiece, BPE, Unigram',
    ],
    ['a BPE model without tokens', { model: { vocab: {}, merges: [] } }, 'model.vocab must have 1 to'],
    ['no merges', bpe({ merges: undefined }), 'model.merges must be a list'],
    ['a merge of three', bpe({ merges: ['a b', 'a b c'] }), 'model.merges[1] must be two tokens'],
    ['a merge of numbers', bpe({ merges: [[1, 2]] }), 'model.merges[0] must be two tokens'],
    ['a merge into no token', bpe({ merges: [['b', 'a']] }), 'model.merges[0] must join two tokens'],
    ['an unknown token that is none', bpe({ unk_token: '<unk>' }), 'model.unk_token must be a token'],
    ['prefixes within words', bpe({ continuing_subword_prefix: '##' }), 'model.continuing_subword_prefix is not'],
    ['dropped merges', bpe({ dropout: 0.1 }), 'model.dropout is not supported'],
    ['a type from the prototype', { model: { type: 'constructor' } }, 'model.type is "constructor"'],
    ['a vocabulary that is a list', wordPiece({ vocab: [] }), 'model.vocab must be an object'],
    ['an empty vocabulary', wordPiece({ vocab: {} }), 'model.vocab must have 1 to'],
    ['ids that are not numbers', wordPiece({ vocab: { a: 'b' } }), 'token id'],
    ['gigantic ids', wordPiece({ vocab: { a: 1e12 } }), 'token id'],
    ['no unknown token', wordPiece({ unk_token: 'nowhere' }), 'model.unk_token'],
    ['an endless word', wordPiece({ max_input_chars_per_word: 1e9 }), 'max_input_chars_per_word'],
    ['a piece without a score', unigram({ vocab: [['a']] }), 'model.vocab[0]'],
    ['a score that is not finite', unigram({ vocab: [['a', null]] }), 'model.vocab[0]'],
    ['an unknown id outside', unigram({ unk_id: 5 }), 'model.unk_id'],
    ['an unknown normalizer', { normalizer: { type: 'Rot13' } }, 'normalizer.type is "Rot13"'],
    [
      'an unknown normalizer in a sequence',
      { normalizer: { type: 'Sequence', normalizers: [{ type: 'NFC' }, {}] } },
      'normalizer.normalizers[1]',
    ],
    [
      'a character map that is not base64',
      { normalizer: { type: 'Precompiled', precompiled_charsmap: '!' } },
      'base64',
    ],
    ['a character map of junk', { normalizer: { type: 'Precompiled', precompiled_charsmap: 'AAAAAAA=' } }, 'trie'],
    [
      'a pattern that does not compile',
      { normalizer: { type: 'Replace', pattern: { Regex: '(' }, content: '' } },
      'normalizer.pattern.Regex',
    ],
    ['an unknown pre-tokenizer', { pre_tokenizer: { type: 'Digits' } }, 'pre_tokenizer.type is "Digits"'],
    ['a marker of two characters', { pre_tokenizer: { type: 'Metaspace', replacement: '__' } }, 'replacement'],
    ['a template without its text', { post_processor: { type: 'TemplateProcessing', single: [], pair: [] } }, 'single'],
    [
      'a template with an unlisted token',
      {
        post_processor: { type: 'TemplateProcessing', single: [{ SpecialToken: { id: 'x', type_id: 0 } }], pair: [] },
      },
      'post_processor.single[0]',
    ],
    ['an unknown decoder', { decoder: { type: 'Rot13' } }, 'decoder.type'],
    ['added tokens that are no list', { added_tokens: {} }, 'added_tokens must be a list'],
    ['an added token without an id', { added_tokens: [{ content: 'a' }] }, 'added_tokens[0]'],
    ['too many added tokens', { added_tokens: new Array(20_001) }, '20001 tokens'],
  ])('%s', (_, changes, problem) => {
    expect(() => build(changes)).toThrow(FormatError);
    expect(() => build(changes)).toThrow(problem);
  });

  it('nesting without end', () => {
    let normalizer: JsonObject = { type: 'NFC' };
    for (let depth = 0; depth < 50; depth++) normalizer = { type: 'Sequence', normalizers: [normalizer] };
    expect(() => build({ normalizer })).toThrow('nested at most');
  });

  it('no padding token, and a padding token that is not there', () => {
    const vocab = { '[UNK]': 0 };
    const bare = { added_tokens: [], post_processor: null, model: { type: 'WordPiece', unk_token: '[UNK]', vocab } };
    expect(() => build(bare)).toThrow('no padding token. Name it as "pad_token"');
    expect(() => build({}, { pad_token: '<none>' })).toThrow('pad_token "<none>" is not in tokenizer.json');
  });

  it.each<FixtureName>(['wordpiece', 'xlm-roberta', 'roberta', 'modernbert'])('%s in any other way', (name) => {
    const good = parse(name);
    const value = fc.oneof(
      fc.json().map((text) => JSON.parse(text) as unknown),
      fc.constantFrom(null, [], {}, '', -1, 1e99),
    );
    const paths = [...pathsOf(good)];
    fc.assert(
      fc.property(fc.constantFrom(...paths), value, (path, junk) => {
        const json = structuredClone(good);
        let parent = json;
        for (const key of path.slice(0, -1)) parent = parent[key] as JsonObject;
        parent[path.at(-1)!] = junk;
        try {
          buildTokenizer(json, 'tokenizer.json', {}, {}).encode('homework — 😀', 'running');
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('bytes of any kind', () => {
    const fixture = bytesOf('wordpiece');
    fc.assert(
      fc.property(fc.nat(fixture.length), fc.nat(255), (position, byte) => {
        const bytes = fixture.slice(0, byte % 4 === 0 ? position : fixture.length);
        if (bytes.length > 0) bytes[position % bytes.length] = byte;
        try {
          createJsonTokenizer(bytes, 'tokenizer.json');
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
    );
  });
});

/** Paths to every value of a document, those inside its vocabulary and merges left out. */
function* pathsOf(value: unknown, path: string[] = []): Iterable<string[]> {
  if (path.length > 0) yield path;
  if (typeof value !== 'object' || value === null || /^(vocab|merges)$/.test(path.at(-1) ?? '')) return;
  for (const [key, child] of Object.entries(value)) yield* pathsOf(child, [...path, key]);
}

it('takes a processor that only says where tokens stand beside the one with special tokens', () => {
  const processors = [{ type: 'ByteLevel', trim_offsets: true }, parsed.post_processor];
  const both = build({ post_processor: { type: 'Sequence', processors } });
  expect(both.encode('a', 'b')).toEqual(build({}).encode('a', 'b'));
});

it('never merges text into a control token that its vocabulary can spell', () => {
  const model = { type: 'BPE', vocab: { '[PAD]': 0, a: 1, b: 2, ab: 3 }, merges: [['a', 'b']] };
  const added_tokens = [
    { id: 0, content: '[PAD]', special: true },
    { id: 3, content: 'ab', special: true },
  ];
  const changes = { model, added_tokens, normalizer: null, post_processor: null, decoder: null, pre_tokenizer: null };
  const json = { ...changes, model: { ...model, ignore_merges: true } };
  for (const some of [changes, json]) {
    expect(buildTokenizer(some, 'tokenizer.json', {}, {}).tokenize('ab')).toEqual([1, 2]);
    const asTokens = buildTokenizer(some, 'tokenizer.json', {}, { specialTokensInText: 'tokens' });
    expect(asTokens.tokenize('ab')).toEqual([3]);
  }
});

it('follows tokenizer_config.json on lower case and accents, as transformers does', () => {
  const words = (config: JsonObject) => build({}, config).decode(build({}, config).tokenize('NAÏVE'));
  expect(words({})).toBe('naive');
  expect(words({ do_lower_case: true, strip_accents: false })).not.toBe('naive');
  expect(words({ do_lower_case: false })).not.toBe('naive');
});

it('adds the tokens of tokenizer_config.json', () => {
  const config = { added_tokens_decoder: { 5000: { content: '<new>', special: false, normalized: false } } };
  const tokenizer = build({}, config);
  expect(tokenizer.tokenize('a<new>')).toContain(5000);
  expect(tokenizer.vocabSize).toBe(5001);
  expect(tokenizer.decode([5000])).toBe('<new>');
});

it('refuses a length that leaves no room for the special tokens, and ids it does not have', () => {
  expect(() => build({}).encode('a', undefined, { maxLength: 1 })).toThrow(ConfigError);
  expect(() => build({}).encode('a', 'b', { maxLength: 2.5 })).toThrow(
    'maxLength must be a whole number of at least 3',
  );
  expect(() => build({}).decode([10 ** 6])).toThrow(ConfigError);
});

it('cuts texts on the side that tokenizer_config.json says', () => {
  const content = (config: JsonObject) =>
    build({}, config).encode('. ? !', undefined, { maxLength: 4 }).ids.slice(1, -1);
  const [dot, question, exclamation] = build({}).tokenize('. ? !');
  expect(content({})).toEqual([dot, question]);
  expect(content({ truncation_side: 'left' })).toEqual([question, exclamation]);
});

it('says how many tokens it left out', () => {
  const { ids, removedTokens } = build({}).encode('. . . . .', '. .', { maxLength: 7 });
  expect([ids.length, removedTokens]).toEqual([7, 3]);
});
