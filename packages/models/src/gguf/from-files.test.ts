import { ConfigError, FormatError } from 'onnx-grad';
import { describe, expect, it } from 'vitest';
import { type GgufCaseName, readGgufCase } from '../../test/gguf-cases.node.ts';
import { isObject, type JsonObject } from '../files/json.ts';
import { vocabularyOfFiles } from './from-files.ts';

const cases = new Map<GgufCaseName, ReturnType<typeof readGgufCase>>();

/** The case's vocabulary with changes to its files. */
function change(
  name: GgufCaseName,
  changes: {
    readonly tokenizer?: (json: JsonObject) => void;
    readonly config?: (json: JsonObject) => void;
    readonly template?: string;
    readonly vocabSize?: number;
    readonly model?: JsonObject;
  },
) {
  const found = cases.get(name) ?? readGgufCase(name);
  cases.set(name, found);
  const files = new Map(found.tokenizerFiles);
  const edit = (file: string, how?: (json: JsonObject) => void) => {
    const json = JSON.parse(new TextDecoder().decode(files.get(file))) as JsonObject;
    how?.(json);
    files.set(file, new TextEncoder().encode(JSON.stringify(json)));
  };
  edit('tokenizer.json', changes.tokenizer);
  edit('tokenizer_config.json', changes.config);
  files.delete('chat_template.jinja');
  if (changes.template !== undefined) files.set('chat_template.jinja', new TextEncoder().encode(changes.template));
  const vocabSize = changes.vocabSize ?? (found.json.vocab_size as number);
  return vocabularyOfFiles(files, { vocabSize, config: changes.model ?? {} });
}

const inside = (json: JsonObject, key: string): JsonObject => {
  const value = json[key];
  if (!isObject(value)) throw new Error(`The fixture has no ${key}.`);
  return value;
};
const added = (json: JsonObject, at: number) => (json.added_tokens as JsonObject[]).at(at)!;

describe('a tokenizer that llama.cpp does not have is refused:', () => {
  it.each([
    [
      'WordPiece',
      'qwen2-qwen2',
      { tokenizer: (json) => Object.assign(inside(json, 'model'), { type: 'WordPiece' }) },
      'model.type is WordPiece',
    ],
    [
      'suffixes',
      'qwen2-qwen2',
      { tokenizer: (json) => Object.assign(inside(json, 'model'), { end_of_word_suffix: '</w>' }) },
      'model.end_of_word_suffix is set',
    ],
    [
      'dropped merges',
      'qwen2-qwen2',
      { tokenizer: (json) => Object.assign(inside(json, 'model'), { dropout: 0.1 }) },
      'model.dropout is set',
    ],
    [
      'another normalizer',
      'qwen2-qwen2',
      { tokenizer: (json) => Object.assign(json, { normalizer: { type: 'NFKC' } }) },
      'normalizer is "NFKC"',
    ],
    [
      'an unknown pattern',
      'qwen2-qwen2',
      { tokenizer: (json) => Object.assign(json, { pre_tokenizer: { type: 'Split', pattern: { Regex: 'a' } } }) },
      'Expected that of gpt-2, smollm, llama-bpe, smaug-bpe, qwen2, default',
    ],
    [
      'a space before the text',
      'qwen2-gpt2',
      { tokenizer: (json) => Object.assign(inside(json, 'pre_tokenizer'), { add_prefix_space: true }) },
      'pre_tokenizer is "ByteLevel" of another form',
    ],
    [
      'whole words first, with this pattern',
      'qwen2-qwen2',
      { tokenizer: (json) => Object.assign(inside(json, 'model'), { ignore_merges: true }) },
      'model.ignore_merges is true',
    ],
    [
      'whole words first, beside bytes',
      'llama-spm',
      { tokenizer: (json) => Object.assign(inside(json, 'model'), { ignore_merges: true }) },
      'model.ignore_merges is true beside byte_fallback',
    ],
    [
      'a missing byte',
      'llama-spm',
      { tokenizer: (json) => delete inside(inside(json, 'model'), 'vocab')['<0x41>'] },
      'model.vocab has no <0x41>',
    ],
    [
      'a token that strips',
      'qwen2-qwen2',
      { tokenizer: (json) => Object.assign(added(json, 0), { lstrip: true }) },
      '"<|endoftext|>" takes its surroundings into account',
    ],
    [
      'a word that is normalized',
      'llama-spm',
      { tokenizer: (json) => Object.assign(added(json, -1), { normalized: true }) },
      '"<tool>" is normalized',
    ],
    [
      'a control token that llama.cpp reads anywhere',
      'qwen2-qwen2',
      { tokenizer: (json) => Object.assign(added(json, 1), { content: '<|start|>' }) },
      "would be read as a control token in users' texts",
    ],
    [
      'two tokens before a text',
      'llama-llama3',
      {
        tokenizer: (json) => {
          const single = inside(json, 'post_processor').single as unknown[];
          single.unshift(single[0]);
        },
      },
      'puts 2 + 0 tokens around a text',
    ],
    [
      'another token before a text than BOS',
      'llama-llama3',
      { config: (json) => Object.assign(json, { bos_token: '<|eot_id|>' }) },
      'but bos_token is',
    ],
    ['no end', 'qwen2-qwen2', { config: (json) => delete json.eos_token }, 'eos_token is not stated'],
    ['more tokens than rows', 'qwen2-qwen2', { vocabSize: 100 }, "is beyond the model's 100"],
    [
      'another form of spaces',
      'llama-spm',
      { tokenizer: (json) => Object.assign(json, { normalizer: { type: 'NFC' } }) },
      'normalizer and pre_tokenizer are of another form',
    ],
  ] as [string, GgufCaseName, Parameters<typeof change>[1], string][])('%s', (_, name, changes, problem) => {
    expect(() => change(name, changes)).toThrow(ConfigError);
    expect(() => change(name, changes)).toThrow(problem);
  });
});

describe('damaged files are refused:', () => {
  it.each([
    [
      'no tokenizer.json',
      () => vocabularyOfFiles(new Map(), { vocabSize: 1, config: {} }),
      'A GGUF needs tokenizer.json, got no file',
    ],
    [
      'one that is no JSON',
      () => vocabularyOfFiles(new Map([['tokenizer.json', Uint8Array.of(1)]]), { vocabSize: 1, config: {} }),
      'not valid JSON',
    ],
    [
      'merges of something else',
      () =>
        change('qwen2-qwen2', { tokenizer: (json) => Object.assign(inside(json, 'model'), { merges: [['q', '☃']] }) }),
      'model.merges[0] must join two tokens',
    ],
    [
      'an id given twice',
      () => change('qwen2-qwen2', { tokenizer: (json) => Object.assign(added(json, 0), { id: 3 }) }),
      'id 3. Expected one id a token',
    ],
    [
      'a role of no token',
      () => change('qwen2-qwen2', { config: (json) => Object.assign(json, { pad_token: '<none>' }) }),
      'pad_token is none of the',
    ],
    [
      'an id beyond the tokens',
      () => change('qwen2-qwen2', { model: { bos_token_id: 10_000 } }),
      'config.json: bos_token_id is none of the',
    ],
  ] as [string, () => unknown, string][])('%s', (_, run, problem) => {
    expect(run).toThrow(problem);
    if (!problem.startsWith('A GGUF needs tokenizer.json, got no file')) expect(run).toThrow(FormatError);
  });
});

describe('what the files leave open', () => {
  it('roles come from config.json where tokenizer_config.json has none', () => {
    const without = { config: (json: JsonObject) => delete json.eos_token };
    const { vocabulary } = change('qwen2-qwen2', { ...without, model: { eos_token_id: [7, 8], bos_token_id: 5 } });
    expect(vocabulary.roles).toMatchObject({ eos: 7, bos: 5 });
    expect(vocabulary.addsBos).toBe(false);
  });

  it('BOS is added as tokenizer_config.json says where there is no post-processor', () => {
    const bare = (json: JsonObject) => Object.assign(json, { post_processor: null });
    const asks = (json: JsonObject) => Object.assign(json, { add_bos_token: true });
    expect(change('llama-llama3', { tokenizer: bare, config: asks }).vocabulary.addsBos).toBe(true);
    expect(change('llama-llama3', { tokenizer: bare }).vocabulary.addsBos).toBe(false);
  });

  it('a template of its own goes before the one in tokenizer_config.json, and of several the default one', () => {
    const several = [
      { name: 'other', template: 'no' },
      { name: 'default', template: 'yes' },
    ];
    const config = (json: JsonObject) => Object.assign(json, { chat_template: several });
    expect(change('qwen2-qwen2', { config }).vocabulary.chatTemplate).toBe('yes');
    expect(change('qwen2-qwen2', { config, template: 'own' }).vocabulary.chatTemplate).toBe('own');
    expect(
      change('qwen2-qwen2', { config: (json) => delete json.chat_template }).vocabulary.chatTemplate,
    ).toBeUndefined();
  });

  it('tokens with a role are control tokens, whatever the files say of them', () => {
    const { vocabulary } = change('qwen2-qwen2', { config: (json) => Object.assign(json, { bos_token: 'a' }) });
    expect(vocabulary.kinds[vocabulary.roles.bos!]).toBe('control');
    expect(vocabulary.tokens[vocabulary.roles.bos!]).toBe('a');
  });

  it('what a pre-tokenizer leaves out is what it was before it could be said', () => {
    const old = { type: 'ByteLevel', add_prefix_space: false };
    const { vocabulary } = change('qwen2-gpt2', { tokenizer: (json) => Object.assign(json, { pre_tokenizer: old }) });
    expect(vocabulary).toMatchObject({ preTokenizer: 'gpt-2' });
  });

  it('rows without a token are filled with names of their own', () => {
    const { vocabulary } = change('qwen2-qwen2', {});
    expect(vocabulary.kinds.filter((kind) => kind === 'unused')).toHaveLength(13);
    expect(new Set(vocabulary.tokens).size).toBe(vocabulary.tokens.length);
  });
});

describe('what llama.cpp does otherwise is told', () => {
  const metaspace = (scheme: string, split: boolean) => (json: JsonObject) => {
    return Object.assign(json, {
      normalizer: null,
      pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: scheme, split },
    });
  };

  it.each([
    ['nothing of a tokenizer in the form of Llama 2', 'llama-spm', () => undefined, 0, true],
    ['a second space before a text with one', 'llama-spm', metaspace('always', false), 1, true],
    ['spaces after control tokens', 'llama-spm', metaspace('first', true), 2, true],
    ['nothing where no space is added', 'llama-spm', metaspace('never', true), 0, false],
    ['composed accents', 'qwen2-qwen2', () => undefined, 1, undefined],
  ] as const)('%s', (_, name, tokenizer, count, addsSpace) => {
    const { vocabulary, differences } = change(name, { tokenizer });
    expect(differences).toHaveLength(count);
    expect(vocabulary.model === 'llama' ? vocabulary.addsSpace : undefined).toBe(addsSpace);
  });
});
