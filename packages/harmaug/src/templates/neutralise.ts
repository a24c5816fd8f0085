/**
 * Data for servers that take text alone. They look for control tokens in the whole of it, so a control string inside data
 * is broken up: a space goes in after its first character, `<|eot_id|>` becomes `< |eot_id|>`. Nothing else changes, and
 * a text without such strings is passed on as it is. Where we hold the tokenizer ourselves this is not needed: data is
 * encoded without control tokens and arrives unchanged.
 */
import type { Prompt } from './segments.ts';

export type Neutralise = (text: string) => string;

/** @param controls strings that must not survive in data */
export function createNeutraliser(controls: readonly string[]): Neutralise {
  const longestFirst = [...new Set(controls)].filter((text) => text.length > 1).sort((a, b) => b.length - a.length);
  if (longestFirst.length === 0) return (text) => text;
  const pattern = new RegExp(longestFirst.map(escapePattern).join('|'), 'g');
  return (text) => {
    let clean = text;
    // broken strings can leave another behind: "<|<|end|>" holds none of "<|end|>" at first sight after one pass
    while (clean.search(pattern) >= 0) clean = clean.replace(pattern, (found) => breakUp(found));
    return clean;
  };
}

/** The same for a whole prompt, where data and our own text around it could make a control string together. */
export function createPromptNeutraliser(controls: readonly string[]): (prompt: Prompt) => Prompt {
  const neutralise = createNeutraliser(controls);
  const reach = Math.max(1, ...controls.map((text) => text.length)) - 1;
  return (prompt) => {
    const spans = prompt.map((segment) => (segment.isData ? neutralise(segment.text) : segment.text));
    return prompt.map((segment, index) => {
      const text = spans[index]!;
      if (!segment.isData) return { text, isData: false };
      const before = spans.slice(0, index).join('').slice(-reach);
      const after = spans
        .slice(index + 1)
        .join('')
        .slice(0, reach);
      const opens = controls.some((control) => crosses(before, text + after, control)) ? ' ' : '';
      const closes = controls.some((control) => crosses(text, after, control)) ? ' ' : '';
      return { text: opens + text + closes, isData: true };
    });
  };
}

/** Whether a string begins in the one text and ends in the other. */
function crosses(first: string, second: string, text: string): boolean {
  const left = first.slice(-(text.length - 1));
  const right = second.slice(0, text.length - 1);
  return text.length > 1 && (left + right).includes(text);
}

function breakUp(control: string): string {
  const [first = ''] = control; // a whole character
  return `${first} ${control.slice(first.length)}`;
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
