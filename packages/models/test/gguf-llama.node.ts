/** llama.cpp itself, through node-llama-cpp, a development dependency of the repository: its prebuilt CPU binary. */
import path from 'node:path';
import {
  type ChatHistoryItem,
  getLlama,
  JinjaTemplateChatWrapper,
  type Llama,
  LlamaLogLevel,
  type LlamaModel,
  SpecialToken,
  type Token,
} from 'node-llama-cpp';
import { type GgufSource, writeGguf } from '../src/gguf/write.node.ts';
import { openTokenizer } from '../src/open-tokenizer.node.ts';
import { temporaryFolder } from './tokenizer-fixtures.node.ts';

let opening: Promise<Llama> | undefined;

/** One for all tests of a file. */
export function openLlama(): Promise<Llama> {
  opening ??= getLlama({ build: 'never', gpu: false, logLevel: LlamaLogLevel.error, maxThreads: 1 });
  return opening;
}

/** A file that lives as long as the test. */
export async function writeTemporary(source: GgufSource): Promise<string> {
  const file = path.join(await temporaryFolder(), 'model.gguf');
  await writeGguf(file, source);
  return file;
}

/** Texts of which llama.cpp and our own tokenizer of the file make other tokens, control tokens being text or not. */
export async function differingTexts(file: string, texts: readonly string[]): Promise<string[]> {
  const [asTokens, asText] = [await openTokenizer(file, { specialTokensInText: 'tokens' }), await openTokenizer(file)];
  return withModel(file, async (model) => {
    return texts.filter((text) => {
      const ours = [asTokens.tokenize(text), asText.tokenize(text)].join('|');
      return ours !== [model.tokenize(text, true), model.tokenize(text, false)].join('|');
    });
  });
}

export async function withModel<Result>(file: string, use: (model: LlamaModel) => Promise<Result>): Promise<Result> {
  const model = await (await openLlama()).loadModel({ modelPath: file });
  try {
    return await use(model);
  } finally {
    await model.dispose();
  }
}

/** After each token the probability of every next one, with keys and values in float32: in halves they cost thousandths. */
export async function nextProbabilities(model: LlamaModel, ids: readonly number[]): Promise<Map<number, number>[]> {
  const context = await model.createContext({
    contextSize: ids.length + 1,
    flashAttention: false, // which computes in halves
    experimentalKvCacheKeyType: 'F32',
    experimentalKvCacheValueType: 'F32',
  });
  try {
    const asked = ids.map((id): [Token, { generateNext: { probabilities: true } }] => {
      return [id as Token, { generateNext: { probabilities: true } }];
    });
    const outputs = await context.getSequence().controlledEvaluate(asked);
    return outputs.map((output) => output!.next.probabilities as unknown as Map<number, number>);
  } finally {
    await context.dispose();
  }
}

/** The likeliest next token, again and again. */
export async function continueGreedily(model: LlamaModel, ids: readonly number[], count: number): Promise<number[]> {
  const context = await model.createContext({ contextSize: ids.length + count });
  try {
    const written: number[] = [];
    for await (const token of context.getSequence().evaluate(ids as Token[], { temperature: 0 })) {
      written.push(token);
      if (written.length === count) break;
    }
    return written;
  } finally {
    await context.dispose();
  }
}

const turns: Readonly<Record<string, (text: string) => ChatHistoryItem>> = {
  system: (text) => ({ type: 'system', text }),
  user: (text) => ({ type: 'user', text }),
  assistant: (text) => ({ type: 'model', response: [text] }),
};

/** A chat in the words of the file's own template, up to where the model answers. */
export function renderChat(model: LlamaModel, messages: readonly { role: string; content: string }[]): string {
  const { tokenizer } = model.fileInfo.metadata as { tokenizer: { chat_template: string } };
  const wrapper = new JinjaTemplateChatWrapper({ template: tokenizer.chat_template, tokenizer: model.tokenizer });
  const chatHistory: ChatHistoryItem[] = messages.map(({ role, content }) => turns[role]!(content));
  chatHistory.push({ type: 'model', response: [] });
  const names: Readonly<Record<string, string | null>> = { BOS: model.tokens.bosString, EOS: model.tokens.eosString };
  return wrapper
    .generateContextState({ chatHistory })
    .contextText.values.map((part) => {
      if (typeof part === 'string') return part;
      return part instanceof SpecialToken ? names[part.value] : part.value;
    })
    .join('');
}
