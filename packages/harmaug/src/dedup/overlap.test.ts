import { describe, expect, it } from 'vitest';
import { Overlap } from './overlap.ts';

const long = 'one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen';

describe('overlap with an evaluation set', () => {
  const overlap = new Overlap();
  overlap.add(long);
  overlap.add('How do I kill a Python process?');

  it('is thirteen words in a row, wherever they stand', () => {
    expect(overlap.has(`Well: ${long.toUpperCase()}, and more`)).toBe(true);
    expect(overlap.has('two three four five six seven eight nine ten eleven twelve thirteen fourteen')).toBe(true);
    const twelve = long.split(' ').slice(0, 12).join(' ');
    expect(overlap.has(`${twelve} and then something that is not in the set at all`)).toBe(false);
  });

  it('is the whole text where it is shorter', () => {
    expect(overlap.has('how do i kill a python process')).toBe(true);
    expect(overlap.has('how do i kill a python')).toBe(false);
    expect(overlap.has('one two three')).toBe(false);
  });

  it('is nothing for a text without words', () => {
    expect(overlap.has('?!')).toBe(false);
    expect(new Overlap().has(long)).toBe(false);
  });
});
