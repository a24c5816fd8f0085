/** From what a writer wrote after its prefix to one instruction: labels, numbers, quotes and explanations taken off. */

export interface Parsed {
  /** Trimmed, on one line, without control characters; '' where nothing is left. */
  readonly text: string;
  /** Whether its end was seen: a closing quote, a next item, an explanation. */
  readonly isEnded: boolean;
}

/** Most characters that are looked at; an instruction is never as long. */
const MOST_CHARACTERS = 20_000;

type Step = (draft: Parsed) => Parsed;

/** Steps in order; each is one habit of models. */
const steps: Readonly<Record<string, Step>> = {
  'no control characters': ({ text, isEnded }) => ({
    text: text
      .toWellFormed()
      .replace(/\r\n?|[\u2028\u2029\v\f]/g, '\n')
      .replace(/[\t\u00a0]/g, ' ')
      .replace(/[^\P{C}\n]|\ufffd/gu, ''),
    isEnded,
  }),
  'no lead-in': replacing(
    /^\s*(?:here(?:’|')?s|here is|here are|sure|certainly|of course|okay|ok|great|alright)\b[^\n:]{0,100}:(?:\s+|$)/i,
  ),
  'no label': replacing(
    /^[\s#>*_`]*(?:the |my |a |an |user |harmful |harmless |benign |example |sample |single |new )*(?:prompts?|instructions?|questions?|requests?|messages?|quer(?:y|ies)|examples?|ideas?|inputs?|user|human)(?: ?#?\d{1,2})?[*_`\s]*[:：][*_`\s]*/i,
  ),
  'no number': replacing(/^\s*(?:\(?\d{1,3}[.):]|[-*•–—])(?:\s+|$)/),
  'the first of several': cutting(/\n\s*(?:\(?\d{1,3}[.)]|[-*•–—]|(?:prompt|instruction|question) \d)\s/i),
  'the first paragraph': cutting(/\n\s*\n/),
  'no explanation': cutting(
    /\n\s*(?:\(?(?:note|explanation|reason|rationale|why|context|disclaimer|answer|response|assistant|output|this (?:prompt|instruction|question|message|request))\b)|\s\((?:note|explanation|disclaimer)\b|\s(?:this|the above) (?:prompt|instruction) (?:is|would|could|will|should|aims|asks)\b/i,
  ),
  'no quotes': unquote,
  'one line': ({ text, isEnded }) => ({
    text: text
      .replace(/\s+/g, ' ')
      .replace(/^[\s*_`]+|[\s*_`]+$/g, '')
      .trim(),
    isEnded,
  }),
};

/** Never throws, whatever the text. What is given back stays as it is when parsed again. */
export function parseInstruction(written: string): Parsed {
  let draft: Parsed = { text: written.slice(0, MOST_CHARACTERS).trim(), isEnded: false };
  for (;;) {
    const next = Object.values(steps).reduce((current, step) => step(current), draft);
    if (next.text === draft.text) return next;
    draft = next; // shorter, or on fewer lines: this ends
  }
}

function replacing(pattern: RegExp): Step {
  return ({ text, isEnded }) => ({ text: text.replace(pattern, ''), isEnded });
}

function cutting(pattern: RegExp): Step {
  return ({ text, isEnded }) => {
    const at = text.trimStart().search(pattern);
    return at <= 0 ? { text, isEnded } : { text: text.trimStart().slice(0, at), isEnded: true };
  };
}

const closers: Readonly<Record<string, string>> = {
  '"': '"',
  '“': '”',
  '„': '“',
  '«': '»',
  '「': '」',
  "'": "'",
  '‘': '’',
};

/** What stands within quotes, where the text begins with one; an apostrophe within a word closes nothing. */
function unquote({ text, isEnded }: Parsed): Parsed {
  const trimmed = text.trim();
  const closer = closers[trimmed[0] ?? ''];
  if (closer === undefined) return { text, isEnded };
  for (let at = trimmed.indexOf(closer, 1); at > 0; at = trimmed.indexOf(closer, at + 1)) {
    const after = trimmed[at + 1] ?? ' ';
    if (/[\s.,;:!?)*]/.test(after)) return { text: trimmed.slice(1, at), isEnded: true };
  }
  return { text: trimmed.slice(1), isEnded };
}

/** Whether a text ends like a sentence. */
export function endsSentence(text: string): boolean {
  return /[.!?…。！？؟।]["'”’»」)\]*]*$/u.test(text);
}
