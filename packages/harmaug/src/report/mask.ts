/**
 * Texts of rows in the page: no one reads them before a click, and neither a search engine nor a glance at the source finds
 * them. This hides, it does not protect: whoever has the file has the texts.
 */
import { type Html, html } from './html.ts';

const MOST_CHARACTERS = 4000; // of a text that is shown

/** Bytes in UTF-8, each combined with a number that changes from byte to byte, as base64. `reveal` undoes it. */
export function conceal(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return btoa(Array.from(bytes, (byte, at) => String.fromCharCode(byte ^ ((167 + 31 * at) & 255))).join(''));
}

/** A button that shows the text beneath it and hides it again. */
export function masked(text: string, what: string): Html {
  const characters = [...text];
  const isCut = characters.length > MOST_CHARACTERS;
  const shown = isCut ? `${characters.slice(0, MOST_CHARACTERS).join('')} […]` : text;
  return html`<span class="mask"><button type="button" aria-expanded="false" data-masked="${conceal(shown)}">Show ${what}</button><span class="shown" dir="auto" hidden></span></span>`;
}
