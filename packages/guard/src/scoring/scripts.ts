/** Where a text goes over from one script to another: what was put into a text of another script begins and ends there. */

/** First and last UTF-16 unit or code point of a script, coarsely; in order. Spaces, digits and signs are of none. */
const ranges: readonly (readonly [first: number, last: number, script: string])[] = [
  [0x41, 0x5a, 'latin'],
  [0x61, 0x7a, 'latin'],
  [0xc0, 0x24f, 'latin'],
  [0x370, 0x3ff, 'greek'],
  [0x400, 0x52f, 'cyrillic'],
  [0x530, 0x58f, 'armenian'],
  [0x590, 0x5ff, 'hebrew'],
  [0x600, 0x8ff, 'arabic'],
  [0x900, 0xdff, 'indic'],
  [0xe00, 0xeff, 'thai'],
  [0x10a0, 0x10ff, 'georgian'],
  [0x1100, 0x11ff, 'korean'],
  [0x1200, 0x139f, 'ethiopic'],
  [0x1e00, 0x1eff, 'latin'],
  [0x1f00, 0x1fff, 'greek'],
  [0x2600, 0x27bf, 'pictures'],
  [0x3041, 0x30ff, 'chinese'], // kana, which stand among Chinese characters
  [0x3400, 0x9fff, 'chinese'],
  [0xac00, 0xd7af, 'korean'],
  [0xf900, 0xfaff, 'chinese'],
  [0xff66, 0xff9f, 'chinese'],
  [0x1f000, 0x1faff, 'pictures'],
  [0x20000, 0x3ffff, 'chinese'],
];

/** Letters of a run that stands alone: names and single words stay in their sentence. */
const LEAST_LETTERS: Readonly<Record<string, number>> = { latin: 16 };
const LEAST_OF_OTHERS = 8;

/** What is no word of any language, as base64 and long addresses. */
export const CODE = /[!-~]{28,}/g;
/** What code follows without a space, and what may be a word that goes on after it. */
const GLUED_END = /^[A-Za-z,'-]{1,20}[.!?]/;
const GLUED_WORD = /[A-Z][a-z]*$/;
/** Signs that go with the letters after them. */
const OPENING = /["'“‘«([{¿¡]/;

interface Run {
  readonly script: string;
  readonly begin: number;
  letters: number;
}

/** UTF-16 offsets, in order, where a long enough run of another script begins. Takes time in proportion to the length. */
export function scriptChanges(text: string): number[] {
  const long = runsOf(text).filter(({ script, letters }) => letters >= (LEAST_LETTERS[script] ?? LEAST_OF_OTHERS));
  return long.flatMap(({ script, begin }, index) => {
    const last = long[index - 1];
    if (!last || last.script === script) return [];
    let at = begin;
    while (at > last.begin + 1 && OPENING.test(text[at - 1]!)) at--;
    return [at];
  });
}

/** Runs of letters of one script; what is of none does not end them. */
function runsOf(text: string): Run[] {
  const runs: Run[] = [];
  const add = (script: string, begin: number, letters: number): void => {
    const last = runs.at(-1);
    if (last?.script === script) last.letters += letters;
    else runs.push({ script, begin, letters });
  };
  const walk = (begin: number, end: number): void => {
    for (let at = begin; at < end; at++) {
      const code = text.codePointAt(at)!;
      const script = scriptOf(code);
      if (script !== null) add(script, at, 1);
      if (code > 0xffff) at++;
    }
  };
  let reached = 0;
  for (const { index, 0: word } of text.matchAll(CODE)) {
    const begin = index + (GLUED_END.exec(word)?.[0].length ?? 0);
    const end = index + word.length - (GLUED_WORD.exec(word.slice(-20))?.[0].length ?? 0);
    walk(reached, begin);
    add('code', begin, end - begin);
    reached = end;
  }
  walk(reached, text.length);
  return runs;
}

function scriptOf(code: number): string | null {
  for (const [first, last, script] of ranges) {
    if (code < first) return null;
    if (code <= last) return script;
  }
  return null;
}
