/** The guard's worker: a whole guard in a thread of its own, asked by messages. */
import { GuardCore } from '../guard.ts';
import { loadParts } from '../load.web.ts';
import type { GuardStream } from '../stream.ts';
import { type CallName, type Calls, type FromWorker, sendError, type ToWorker } from './messages.web.ts';

interface Context {
  readonly id: number;
  readonly signal: AbortSignal;
}

type Handlers = {
  readonly [Name in CallName]: (context: Context, ...args: Calls[Name]['args']) => Promise<Calls[Name]['answer']>;
};

/** What the worker's own scope has of a page's window, and a port. */
interface Scope {
  readonly name: string;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: FromWorker): void;
}

function serve(scope: Scope): void {
  const running = new Map<number, AbortController>();
  const streams = new Map<number, GuardStream>();
  let guard: GuardCore | null = null;
  const loaded = (): GuardCore => {
    if (guard === null) throw new Error('internal: asked before the guard was loaded');
    return guard;
  };
  const handlers: Handlers = {
    async load({ id, signal }, from, options) {
      const parts = await loadParts(from, {
        ...options,
        signal,
        onProgress: (progress) => scope.postMessage({ id, progress }),
      });
      try {
        guard = new GuardCore(parts);
        return guard.settings;
      } catch (error) {
        await parts.release();
        throw error;
      }
    },
    check: ({ signal }, request) => loaded().check(request, { signal }),
    checkMany: ({ signal }, requests) => loaded().checkMany(requests, { signal }),
    async stream({ id, signal }, request, options) {
      streams.set(id, loaded().stream(request, { ...options, signal }));
      return null;
    },
    push: async (_, stream, chunk) => streams.get(stream)!.push(chunk),
    end: async (_, stream) => streams.get(stream)!.end(),
    async dispose() {
      await guard?.dispose();
      return null;
    },
  };
  scope.onmessage = ({ data }) => {
    const { id } = data;
    if (data.call === 'abort') {
      running.get(id)?.abort();
      return;
    }
    if (data.call === 'drop') {
      running.delete(id);
      streams.delete(id);
      return;
    }
    const controller = new AbortController();
    running.set(id, controller);
    const handle = handlers[data.call] as (context: Context, ...args: readonly unknown[]) => Promise<unknown>;
    handle({ id, signal: controller.signal }, ...data.args)
      .then(
        (answer) => scope.postMessage({ id, answer }),
        (error: unknown) => scope.postMessage({ id, error: sendError(error) }),
      )
      .finally(() => {
        if (!streams.has(id)) running.delete(id); // a stream can be aborted until it is dropped
      });
  };
}

// onnxruntime's threads run the script that holds it once more, under this name: where all is one bundle, this one
if (!self.name.startsWith('em-pthread')) serve(globalThis as unknown as Scope);
