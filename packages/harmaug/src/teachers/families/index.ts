/** The table of families that an LLM may belong to. */
import type { Family } from '../family.ts';
import { gptOssSafeguard } from './gpt-oss.ts';
import { granites } from './granite.ts';
import { llamaGuards } from './llama-guard.ts';
import { qwen3guards } from './qwen3guard.ts';
import { shieldgemma } from './shieldgemma.ts';
import { wildguard } from './wildguard.ts';

const table = {
  ...llamaGuards,
  wildguard,
  shieldgemma,
  ...qwen3guards,
  ...granites,
  'gpt-oss-safeguard': gptOssSafeguard,
} as const;

export type FamilyName = keyof typeof table;
export const families: Readonly<Record<FamilyName, Family>> = table;
export const familyNames = Object.keys(families) as FamilyName[];
