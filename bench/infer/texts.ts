/** The texts of the benchmark: prompts and exchanges of evaluation sets, shuffled, cut to what every side reads. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { mulberry32, type Tokenizer } from '@harmaug/models';
import { Framer } from '../../packages/guard/src/scoring/frames.ts';

export interface BenchText {
  readonly prompt: string;
  readonly response?: string;
  /** With special ones. */
  readonly tokens: number;
}

const SEED = 1;

/** Draws `count` rows of the folder's .jsonl files. @throws Error without such files */
export function drawTexts(folder: string, count: number, tokenizer: Tokenizer, mostTokens: number): BenchText[] {
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.jsonl')) : [];
  if (files.length === 0) throw new Error(`infer needs texts: --data <folder of .jsonl files>. ${folder} has none.`);
  const lines = files
    .sort()
    .flatMap((name) => readFileSync(path.join(folder, name), 'utf8').split('\n').filter(Boolean));
  const uniform = mulberry32(SEED);
  const shuffled = lines.map((line) => ({ line, key: uniform() })).sort((a, b) => a.key - b.key);
  return shuffled.slice(0, count).map(({ line }) => {
    const { prompt, response } = JSON.parse(line) as { prompt: string; response?: string | null };
    return cutText(tokenizer, mostTokens, prompt, response ?? undefined);
  });
}

/** The first window of a text or an exchange, as a text or an exchange of its own. */
export function cutText(
  tokenizer: Tokenizer,
  mostTokens: number,
  prompt: string,
  response: string | undefined,
): BenchText {
  const framer = new Framer(tokenizer, mostTokens);
  const [frame] = framer.frames(prompt, response, false);
  const text = frame!.prompt;
  const answer = frame!.response;
  return {
    prompt: prompt.slice(text.begin, text.end),
    ...(answer ? { response: response!.slice(answer.begin, answer.end) } : {}),
    tokens: framer.encode(frame!).ids.length,
  };
}

/** For the peers, which are processes of their own. */
export function writeTexts(file: string, texts: readonly BenchText[]): void {
  writeFileSync(file, texts.map((text) => `${JSON.stringify(text)}\n`).join(''), { mode: 0o600 });
}

/** Numbers of the texts, the shortest first. */
export function byLength(texts: readonly BenchText[]): number[] {
  return [...texts.keys()].sort((a, b) => texts[a]!.tokens - texts[b]!.tokens);
}
