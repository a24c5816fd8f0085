/** A worker: a process that holds one guard and answers what it is asked. onnxruntime blocks its thread, not the server's. */
import { Guard } from '@harmaug/guard/node';
import { messageOf } from '../errors.ts';
import type { FromWorker, LoadMessage, Question, ToWorker } from './messages.ts';

const running = new Map<number, AbortController>();
let guard: Guard | null = null;

const say = (message: FromWorker) => {
  if (process.connected) process.send!(message);
};

// Ctrl-C reaches the whole group; the server says when a worker ends, by hanging up
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
process.on('disconnect', () => process.exit(0));

process.on('message', (message: ToWorker) => {
  if (message.kind === 'load') void load(message);
  else if (message.kind === 'check') for (const question of message.questions) void check(question);
  else for (const id of message.ids) running.get(id)?.abort();
});

async function load({ guard: name, options }: LoadMessage): Promise<void> {
  try {
    guard = await Guard.load(name, { ...options, hub: { env: process.env } });
    await guard.check({ prompt: 'What a lovely plan!' }); // the first run allocates what later ones use
    say({ kind: 'ready', categories: guard.categories });
  } catch (error) {
    say({ kind: 'failed', message: messageOf(error) });
  }
}

async function check({ id, request }: Question): Promise<void> {
  const controller = new AbortController();
  running.set(id, controller);
  try {
    const answer = await guard!.check(request, { signal: controller.signal });
    say({ kind: 'answer', id, answer });
  } catch (error) {
    say({ kind: 'error', id, name: error instanceof Error ? error.name : 'Error' });
  } finally {
    running.delete(id);
  }
}
