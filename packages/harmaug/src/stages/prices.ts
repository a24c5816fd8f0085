/** What calls cost, by the recipe's own table. */
import type { Tokens } from '../ledger/records.ts';

/** In the table's currency, for a million tokens. */
export interface Price {
  readonly prompt: number;
  readonly completion: number;
}

/** `null` where there is no price; what takes no tokens is free. */
export function costOf(price: Price | null, { promptTokens, completionTokens }: Tokens): number | null {
  if (promptTokens === 0 && completionTokens === 0) return 0;
  return price === null ? null : (promptTokens * price.prompt + completionTokens * price.completion) / 1e6;
}

const CHARACTERS_A_TOKEN = 4; // of English, in today's vocabularies

/** About how many tokens a text has. */
export function estimateTokens(characters: number): number {
  return Math.ceil(characters / CHARACTERS_A_TOKEN);
}

const TEMPLATE_TOKENS = 256; // of a chat template with its default system prompt

/** More tokens than texts can have: no vocabulary has less than a byte a token. */
export function mostTokens(texts: readonly string[], overhead = TEMPLATE_TOKENS): number {
  return texts.reduce((sum, text) => sum + 3 * text.length, overhead);
}
