/** Real texts of mixed length for a server: prompts and responses one by one, each cut to what every side reads. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { mulberry32, type Tokenizer } from '@harmaug/models';
import { Framer } from '../../packages/guard/src/scoring/frames.ts';

const SEED = 1;

/** Draws `count` texts of the folder's .jsonl files. @throws Error without such files */
export function drawSingles(folder: string, count: number, tokenizer: Tokenizer, mostTokens: number): string[] {
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.jsonl')) : [];
  if (files.length === 0) throw new Error(`serve needs texts: --data <folder of .jsonl files>. ${folder} has none.`);
  const texts = files.sort().flatMap((name) =>
    readFileSync(path.join(folder, name), 'utf8')
      .split('\n')
      .filter(Boolean)
      .flatMap((line) => {
        const { prompt, response } = JSON.parse(line) as { prompt: string; response?: string | null };
        return response ? [prompt, response] : [prompt];
      }),
  );
  const uniform = mulberry32(SEED);
  const framer = new Framer(tokenizer, mostTokens);
  return texts
    .map((text) => ({ text, key: uniform() }))
    .sort((a, b) => a.key - b.key)
    .slice(0, count)
    .map(({ text }) => {
      const { begin, end } = framer.frames(text, undefined, false)[0]!.prompt;
      return text.slice(begin, end);
    });
}
