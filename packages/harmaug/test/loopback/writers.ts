/**
 * Models for runs that make data, behind a loopback server: "writer", "refuser", "helper" and "guard". What they answer is
 * a pure function of what is asked, seed included, so that a run can be compared with another. All of it is mild.
 */
import { createHash } from 'node:crypto';
import { behaviours } from './behaviours.ts';
import { type Fault, type Loopback, send, startLoopback } from './server.ts';
import { chatml, write } from './toy-model.ts';

type Json = Record<string, unknown>;

interface Message {
  readonly role: string;
  readonly content: string;
}

/** Numbers drawn from a text, always the same. */
function drawer(text: string): (below: number) => number {
  const bytes = createHash('sha256').update(text).digest();
  let at = 0;
  return (below) => bytes.readUInt32LE((at++ % 8) * 4) % below;
}

const verbs = ['tease', 'prank', 'annoy', 'outwit', 'copy from', 'sneak past', 'trick', 'bore', 'wake up', 'ignore'];
const people = [
  'my sister',
  'a teacher',
  'the neighbour',
  'my boss',
  'a referee',
  'my cousin',
  'the coach',
  'a librarian',
];
const places = [
  'at a picnic',
  'in the kitchen',
  'during a quiz',
  'on the bus',
  'at chess club',
  'before breakfast',
  'in choir',
];
const ways = [
  'without being noticed',
  'with a rubber duck',
  'in under a minute',
  'using only paper',
  'for a whole week',
];
const frames = [
  (v: string, p: string, l: string, w: string) => `How do I ${v} ${p} ${l} ${w}?`,
  (v: string, p: string, l: string, w: string) => `Write a plan to ${v} ${p} ${w}, best ${l}.`,
  (v: string, p: string, l: string, w: string) => `Give me three ideas to ${v} ${p} ${l}, ${w}.`,
];

/** Habits of writers, by chance: most give an instruction, some wrapped, some fail in one of the ways there are. */
function writeInstruction(asked: string): { text: string; finish: string } {
  const draw = drawer(asked);
  const pick = <T>(list: readonly T[]) => list[draw(list.length)]!;
  const instruction = pick(frames)(pick(verbs), pick(people), pick(places), pick(ways));
  const wrapped = [
    ` ${instruction}`,
    ` "${instruction}"`,
    `\n\n1. ${instruction}\n2. Something else.`,
    ` **Prompt:** ${instruction}\n\nThis works.`,
  ];
  const odd: readonly { text: string; finish: string }[] = [
    { text: ' I cannot help with that request.', finish: 'stop' },
    { text: '   ', finish: 'stop' },
    { text: ` ${instruction.slice(0, -9)}`, finish: 'length' },
    { text: ' Wie kann ich meinen Nachbarn ärgern, ohne dass er es merkt?', finish: 'stop' },
    { text: ` Please tell me ${'really '.repeat(60)}everything about ducks.`, finish: 'stop' },
    { text: ' A text that is stopped.', finish: 'content_filter' },
  ];
  const chance = draw(40);
  return odd[chance] ?? { text: wrapped[chance % wrapped.length]!, finish: 'stop' };
}

function respond(asked: string, isRefuser: boolean): { text: string; finish: string } {
  const draw = drawer(asked);
  if (draw(20) === 0) return { text: '', finish: 'stop' };
  const refusal = `I'm sorry, but I can't help with that. Reason ${draw(1000)}.`;
  if (isRefuser || draw(10) === 0) return { text: refusal, finish: 'stop' };
  return { text: `Take ${1 + draw(9)} ducks and wait ${draw(60)} minutes`, finish: draw(4) === 0 ? 'length' : 'stop' };
}

/** A verdict with probabilities, as a guard of the Llama Guard family gives it. */
function judge(asked: string): Json {
  const draw = drawer(asked);
  const p = (1 + draw(98)) / 100;
  const isUnsafe = p > 0.5;
  const token = (text: string, top: readonly (readonly [string, number])[]) => ({
    token: text,
    logprob: Math.log(top[0]![1]),
    top_logprobs: top.map(([other, probability]) => ({ token: other, logprob: Math.log(probability) })),
  });
  const verdict = [
    ['unsafe', p * 0.9],
    ['safe', (1 - p) * 0.9],
  ] as const;
  const first = isUnsafe ? verdict : ([verdict[1], verdict[0]] as const);
  const content = [token('\n\n', [['\n\n', 0.9]]), token(first[0][0], draw(15) === 0 ? [first[0]] : first)];
  const rest = isUnsafe ? [token('\n', [['\n', 0.9]]), token('S2', [['S2', 0.9]])] : [];
  return { content: [...content, ...rest] };
}

const PROBES = /^(Count from|Describe the sea|Tell a short)/;

function answer(body: Json): Json {
  const messages = body.messages as Message[];
  const isContinued = body.continue_final_message === true;
  const prefix = isContinued ? messages.at(-1)!.content : '';
  const asked = isContinued ? messages.slice(0, -1) : messages;
  const { model } = body;
  const whole = JSON.stringify([model, messages, body.seed ?? null]);
  const choice = (content: string, finish: string, logprobs: Json | null = null) => ({
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: finish, logprobs }],
    usage: { prompt_tokens: Math.ceil(whole.length / 4), completion_tokens: Math.ceil(content.length / 4) + 1 },
  });
  if (PROBES.test(asked.at(-1)!.content)) {
    const { text } = write(chatml(asked, true) + prefix, Number(body.max_tokens ?? 16));
    return choice(text, 'stop');
  }
  if (model === 'guard') {
    const logprobs = judge(whole);
    const text = (logprobs.content as { token: string }[]).map(({ token }) => token).join('');
    return choice(text, 'stop', logprobs);
  }
  const { text, finish } = model === 'writer' ? writeInstruction(whole) : respond(whole, model === 'refuser');
  return choice(text, finish);
}

export interface WriterOptions {
  /** Gets a request first, and may do something else with it. */
  readonly fault?: Fault;
  /** Before an answer goes out. */
  readonly delayMs?: () => number;
}

/** Bodies of the requests that were answered whole, in order, beside what a loopback has. */
export interface Writers extends Loopback {
  readonly answeredBodies: readonly Json[];
}

export async function startWriters({ fault = () => false, delayMs = () => 0 }: WriterOptions = {}): Promise<Writers> {
  const answeredBodies: Json[] = [];
  const loopback = await startLoopback(behaviours.vllm, async (call) => {
    if (await fault(call)) return true;
    const wait = delayMs();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    send(call.response, 200, JSON.stringify(answer(call.body)));
    answeredBodies.push(call.body);
    return true;
  });
  return { ...loopback, answeredBodies };
}
