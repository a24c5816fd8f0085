import fc from 'fast-check';
import { expect, it } from 'vitest';
import { normalise } from './normalise.ts';

it.each([
  ['a plain text, with naïve façades', 'a plain text, with naïve façades'],
  ['st\u200bup\u00adid', 'stupid'],
  ['\ufeffst\u202eup\u202cid', 'stupid'],
  ['ｓｔｕｐｉｄ！', 'stupid!'],
  ['𝓼𝓽𝓾𝓹𝓲𝓭 ⓢⓣⓤ', 'stupid stu'],
  ['stuріd рlаn', 'stupid plan'], // Cyrillic р, і, а
  ['sτυpιd', 'stupid'], // Greek
  ['how іѕ іt mаdе', 'how is it made'], // a word of look-alikes alone
  ['the word сон means sleep', 'the word сон means sleep'], // no word is mixed
  ['rеd, сон и сор', 'red, coh и сор'], // up to a word that is Russian
  ['stսpid', 'stupid'], // Armenian
  ['kadın ve çocuk', 'kadın ve çocuk'],
  ['сор и сон', 'сор и сон'], // Russian words stay
  ['αυτο και', 'αυτο και'],
  ['naïveр', 'naïveр'], // ï is no look-alike
  ['👩‍👩‍👧', '👩‍👩‍👧'], // joiners of emoji
  ['می‌خواهم', 'می‌خواهم'], // and of Persian
])('%j becomes %j', (text, plain) => {
  expect(normalise(text).text).toBe(plain);
});

it('knows where every character came from', () => {
  const pieces = fc.constantFrom('a', 'b ', 'р', '\u200b', 'ｓ', '𝓼', '😀', '\ud800', 'é', '漢');
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), (list) => {
      const original = list.join('');
      const { text, toOriginal } = normalise(original);
      expect(toOriginal(text.length)).toBe(original.length);
      for (let at = 0; at < text.length; at++) {
        const [begin, end] = [toOriginal(at), toOriginal(at + 1)];
        expect(end).toBeGreaterThan(begin);
        // nothing of the stretch but what became this character
        const again = normalise(original.slice(begin, end)).text;
        expect(again === text[at] || /[р]/.test(again)).toBe(true);
      }
    }),
  );
});
