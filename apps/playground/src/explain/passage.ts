/** What of a text decided its score: the worst window, or what it says decoded, between what is around it. */
import { findViews, type GuardAnswer, type GuardRequest, type ViewName } from '@harmaug/guard';

export interface Passage {
  readonly field: 'prompt' | 'response';
  /** What the model read. */
  readonly text: string;
  /** Of the original, where it was cut. */
  readonly before: string;
  readonly after: string;
  /** How it was written, where `text` is decoded. */
  readonly view?: ViewName;
}

const AROUND = 240; // characters of context on each side

/** One of a prompt alone, two of an exchange. */
export function passagesOf(request: GuardRequest, { window, view }: GuardAnswer): Passage[] {
  const cut = (field: Passage['field'], [begin, end]: readonly [number, number]): Passage => {
    const text = request[field] ?? '';
    const before = text.slice(Math.max(0, begin - AROUND), begin);
    const after = text.slice(end, end + AROUND);
    return {
      field,
      text: text.slice(begin, end),
      before: begin > AROUND ? `…${before}` : before,
      after: end + AROUND < text.length ? `${after}…` : after,
    };
  };
  const plain = [
    cut('prompt', window.prompt),
    ...(window.response === undefined ? [] : [cut('response', window.response)]),
  ];
  if (view === undefined) return plain;
  const decoded = decodedField(request, window, view);
  return plain.map((passage) =>
    passage.field === decoded?.field ? { ...passage, text: decoded.text, before: '', after: '', view } : passage,
  );
}

/** The first text that has this view where the window says so, or has it at all. */
function decodedField(request: GuardRequest, window: GuardAnswer['window'], view: ViewName) {
  const found = (['prompt', 'response'] as const).flatMap((field) =>
    findViews(request[field] ?? '')
      .filter((one) => one.view === view)
      .map((one) => ({ field, text: one.text, isThere: window[field]?.join() === [one.begin, one.end].join() })),
  );
  return found.find(({ isThere }) => isThere) ?? found[0];
}

/** The passages as a request of their own. */
export function requestOf(passages: readonly Passage[]): GuardRequest {
  const textOf = (field: Passage['field']) => passages.find((passage) => passage.field === field)?.text;
  const response = textOf('response');
  return { prompt: textOf('prompt') ?? '', ...(response === undefined ? {} : { response }) };
}
