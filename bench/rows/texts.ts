/** Rows of the benchmark: short instructions, some of which nearly repeat an earlier one. `texts_of` in ../peers/rows_peer.py reads the same file. */
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { mulberry32 } from '@harmaug/models';

const SYLLABLES =
  'ba be bi bo ka ke ki ko la le li lo ma me mi mo na ne ni no ra re ri ro sa se si so ta te ti to'.split(' ');
const WORDS = 20_000;
const NEAR = 0.2; // of the rows
const REMEMBERED = 5000; // rows back that a near one may repeat

/** `count` texts, the same for the same count: 10 to 30 words, common ones more often than rare ones. */
export function* textsOf(count: number): Generator<string> {
  const uniform = mulberry32(11);
  const below = (limit: number) => Math.floor(uniform() * limit);
  const words = Array.from({ length: WORDS }, () => {
    return Array.from({ length: 1 + below(4) }, () => SYLLABLES[below(SYLLABLES.length)]!).join('');
  });
  const word = () => words[Math.floor(WORDS * uniform() ** 3)]!;
  const recent: string[][] = [];
  for (let row = 0; row < count; row++) {
    const isNear = recent.length > 0 && uniform() < NEAR;
    const own = isNear ? [...recent[below(recent.length)]!] : Array.from({ length: 10 + below(21) }, word);
    if (isNear) for (let change = below(3); change > 0; change--) own[below(own.length)] = word();
    if (recent.length < REMEMBERED) recent.push(own);
    else recent[row % REMEMBERED] = own;
    yield own.join(' ');
  }
}

/** The texts as JSONL, `{ id, text }`. */
export async function writeTexts(file: string, count: number): Promise<void> {
  async function* lines() {
    let row = 0;
    for (const text of textsOf(count)) yield `${JSON.stringify({ id: String(row++), text })}\n`;
  }
  await pipeline(lines(), createWriteStream(file));
}
