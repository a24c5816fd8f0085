/**
 * A prompt as tokens, for whoever holds the tokenizer. It is cut at the control strings of our own text; what lies
 * between two of them is encoded in one piece, without control tokens, as a tokenizer would after cutting by itself. So
 * harmless data gives the very ids of the whole text, and data can give no control token, however it is spelled.
 */
import type { Prompt } from './segments.ts';

/** A control string, or plain text between two of them. */
export interface Run {
  readonly text: string;
  readonly isControl: boolean;
}

/** @param controls strings that the tokenizer reads as control tokens */
export function splitRuns(prompt: Prompt, controls: readonly string[]): Run[] {
  const longestFirst = controls.filter(Boolean).sort((a, b) => b.length - a.length);
  const pattern = longestFirst.length === 0 ? null : new RegExp(`(${longestFirst.map(escapePattern).join('|')})`);
  const runs: { text: string; isControl: boolean }[] = [];
  const addText = (text: string) => {
    const last = runs.at(-1);
    if (text === '') return;
    if (last?.isControl === false) last.text += text;
    else runs.push({ text, isControl: false });
  };
  for (const { text, isData } of prompt) {
    if (isData || pattern === null) addText(text);
    else {
      for (const [index, part] of text.split(pattern).entries()) {
        if (index % 2 === 0) addText(part);
        else runs.push({ text: part, isControl: true });
      }
    }
  }
  return runs;
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
