/** Morse code. */

/** Source: ITU-R M.1677-1; the signs after the hyphen are in common use beside it. */
const signsOf: Readonly<Record<string, string>> = Object.fromEntries(
  (
    'a.- b-... c-.-. d-.. e. f..-. g--. h.... i.. j.--- k-.- l.-.. m-- n-. o--- p.--. q--.- r.-. s... t- u..- v...- w.-- ' +
    'x-..- y-.-- z--.. 1.---- 2..--- 3...-- 4....- 5..... 6-.... 7--... 8---.. 9----. 0----- ..-.-.- ,--..-- ?..--.. ' +
    '\'.----. (-.--. )-.--.- :---... =-...- +.-.-. ".-..-. @.--.-. /-..-. --....- !-.-.-- &.-... ;-.-.-. _..--.- $...-..-'
  )
    .split(' ')
    .map((entry) => [entry[0]!, entry.slice(1)]),
);

/** Accents go, for most have no sign; letters of other alphabets stay as they are. */
export function morse(text: string): string {
  const plain = text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
  const words = plain.split(/\s+/).filter((word) => word !== '');
  return words.map((word) => [...word].map((letter) => signsOf[letter] ?? letter).join(' ')).join(' / ');
}
