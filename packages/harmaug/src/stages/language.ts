/** Which language a text is in. */
import { eld } from 'eld/small';

const ENOUGH_CHARACTERS = 200;

/** As ISO 639-1 has it; `null` where a text is too short to tell. Sixty languages are known. */
export function languageOf(text: string): string | null {
  const result = eld.detect(text.slice(0, ENOUGH_CHARACTERS));
  return result.language !== '' && result.isReliable() ? result.language : null;
}
