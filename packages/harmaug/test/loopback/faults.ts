/** Every way in which a server fails a call, for runs that have to get over them. */
import { type Fault, send } from './server.ts';

const status =
  (code: number, headers: Record<string, string> = {}): Fault =>
  ({ response }) => {
    send(response, code, JSON.stringify({ error: { message: 'not now' } }), headers);
    return true;
  };
const raw =
  (body: string): Fault =>
  ({ response }) => {
    send(response, 200, body);
    return true;
  };
const choices = (...texts: string[]) =>
  JSON.stringify({ choices: texts.map((content) => ({ index: 0, message: { content }, finish_reason: 'stop' })) });

export const faults: Readonly<Record<string, Fault>> = {
  '429 with Retry-After': status(429, { 'retry-after': '0.02' }),
  '429 without': status(429),
  '503': status(503),
  '500': status(500),
  'a reset': ({ response }) => {
    response.socket!.resetAndDestroy();
    return true;
  },
  'a hang': () => true,
  'a reply that never ends': ({ response }) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const timer = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(timer));
    return true;
  },
  'a truncated body': ({ response }) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
    response.write('{"choices":[{"message":{"content":"cut');
    setTimeout(() => response.socket?.destroy(), 5);
    return true;
  },
  'half a body': raw('{"choices":[{"message":{"content":"cut'),
  'no JSON': raw('<html></html>'),
  'an empty body': raw(''),
  'JSON of another kind': raw('["other"]'),
  'no choice': raw('{"choices":[]}'),
  'two choices of one number': raw(choices('one', 'another')),
};

/** Fails this share of calls, each way as often, by a seed. */
export function failing(share: number, seed = 1): Fault {
  const all = Object.values(faults);
  let state = seed;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return (call) => (uniform() < share ? all[Math.floor(uniform() * all.length)]!(call) : false);
}
