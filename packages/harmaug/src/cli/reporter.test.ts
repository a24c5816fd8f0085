import { describe, expect, it } from 'vitest';
import { Reporter, timeLeft } from './reporter.ts';

const record = (isTTY: boolean) => {
  const written: string[] = [];
  return { reporter: new Reporter({ isTTY, write: (text) => written.push(text) }), written };
};

describe('progress', () => {
  it('is written over on a terminal, and gone before a line that stays', () => {
    const { reporter, written } = record(true);
    reporter.progress('1 of 3');
    reporter.progress('2 of 3');
    reporter.say('done');
    expect(written).toEqual(['\r\x1b[K1 of 3', '\r\x1b[K2 of 3', '\r\x1b[K', 'done\n']);
  });

  it('is a line now and then in a log', () => {
    const { reporter, written } = record(false);
    for (let n = 0; n < 100; n++) reporter.progress(`${n} of 100`);
    expect(written).toEqual(['0 of 100\n']);
  });

  it.each([
    [0, 'under a minute left'],
    [Number.NaN, 'under a minute left'],
    [11.5 * 60_000, 'about 12 min left'],
    [125 * 60_000, 'about 2 h 5 min left'],
  ])('of %d ms to go is "%s"', (ms, text) => {
    expect(timeLeft(ms)).toBe(text);
  });
});
