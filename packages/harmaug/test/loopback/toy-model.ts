/**
 * A language model of a few rules, for servers in tests. Its turn begins after the last "<|im_start|>assistant\n" (or any
 * text at all) and is one of a few replies; it goes on with that reply where the turn so far begins it, and says " and so
 * on." to anything else. Tokens are words with the space before them, single signs, and control strings.
 */

export interface Distribution {
  /** The likeliest token; '' ends the turn. */
  readonly token: string;
  readonly top: readonly (readonly [token: string, probability: number])[];
}

const TOKEN = /<\|[a-z_]+\|>|\s?\w+|\s+|[^\w\s]/g;

export function tokenize(text: string): string[] {
  return text.match(TOKEN) ?? [];
}

const REPLIES: readonly (readonly [RegExp, string])[] = [
  [/^judge.*\brude\b/s, '\n\nunsafe\nS1'],
  [/^judge/s, '\n\nsafe'],
  [/^classify.*\brude\b/s, 'Safety: Unsafe\nCategories: Unethical Acts'],
  [/^classify/s, 'Safety: Safe\nCategories: None'],
  [/^short/s, 'Fine.'],
  [/./s, 'One, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve.'],
];
const OTHERWISE = ' and so on.';
const RIVALS: Readonly<Record<string, string>> = {
  safe: 'unsafe',
  unsafe: 'safe',
  ' Safe': ' Unsafe',
  ' Unsafe': ' Safe',
};

/** What comes next after a whole prompt with the turn so far. */
export function nextToken(context: string): Distribution {
  const turn = context.split('<|im_start|>assistant\n').at(-1)!;
  const lastUser = context.split('<|im_start|>user\n').at(-1)!.split('<|im_end|>')[0]!;
  const reply = REPLIES.find(([pattern]) => pattern.test(lastUser))![1];
  const token = turnToken(turn, reply) ?? turnToken(continuation(turn), OTHERWISE) ?? ' and';
  const rival = RIVALS[token];
  const top: [string, number][] = [[token === '' ? '<|im_end|>' : token, 0.8]];
  if (rival) top.push([rival, 0.15]);
  for (const [index, word] of [' of', ' the', '\n', ' it'].entries()) top.push([word, 0.02 / (index + 1)]);
  return { token, top };
}

/** The reply's token after the turn, '' at its end, `null` where the turn does not begin it. */
function turnToken(turn: string, reply: string): string | null {
  if (!reply.startsWith(turn)) return null;
  return tokenize(reply.slice(turn.length))[0] ?? '';
}

/** What the model has written of OTHERWISE so far. */
function continuation(turn: string): string {
  for (let length = Math.min(OTHERWISE.length, turn.length); length > 0; length--) {
    if (OTHERWISE.startsWith(turn.slice(-length)) && length > 1) return turn.slice(-length);
  }
  return '';
}

export interface Written {
  readonly text: string;
  readonly tokens: readonly Distribution[];
  readonly finish: 'stop' | 'length';
  readonly promptTokens: number;
}

/** Takes the likeliest token each time. */
export function write(prompt: string, maxTokens: number, stop: readonly string[] = []): Written {
  const tokens: Distribution[] = [];
  const promptTokens = tokenize(prompt).length;
  for (let text = ''; ; ) {
    if (tokens.length >= maxTokens) return { text, tokens, finish: 'length', promptTokens };
    const next = nextToken(prompt + text);
    if (next.token === '') return { text, tokens, finish: 'stop', promptTokens };
    tokens.push(next);
    text += next.token;
    const ends = stop.map((word) => text.indexOf(word)).filter((at) => at >= 0);
    if (ends.length > 0) return { text: text.slice(0, Math.min(...ends)), tokens, finish: 'stop', promptTokens };
  }
}

/** A conversation as the servers write it. */
export function chatml(messages: readonly { role: string; content: string }[], addGenerationPrompt: boolean): string {
  const turns = messages.map(({ role, content }) => `<|im_start|>${role}\n${content}<|im_end|>\n`).join('');
  return addGenerationPrompt ? `${turns}<|im_start|>assistant\n` : turns;
}

/** The template of the same structure, for clients that fill it in themselves. */
export const chatmlTemplate = {
  source:
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}{% endfor %}" +
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
  bosToken: '',
  eosToken: '<|im_end|>',
  controls: ['<|im_start|>', '<|im_end|>'],
};
