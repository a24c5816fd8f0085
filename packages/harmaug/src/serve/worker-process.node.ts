/** One worker process as the server sees it: groups of questions go in, answers come back, and it may die at any time. */
import { type ChildProcess, fork } from 'node:child_process';
import type { GuardAnswer, GuardRequest } from '@harmaug/guard';
import { ApiError } from './api-error.ts';
import type { Waiting } from './backlog.ts';
import type { FromWorker, LoadMessage, ToWorker } from './messages.ts';

/** A request on its way. Whoever settles it first is heard. */
export interface Entry extends Waiting {
  readonly id: number;
  readonly request: GuardRequest;
  readonly resolve: (answer: GuardAnswer) => void;
  readonly reject: (reason: unknown) => void;
}

export interface WorkerHandlers {
  /** It has room for another group. */
  readonly onRoom: () => void;
  /** It has ended, as asked or not. */
  readonly onExit: (how: string) => void;
}

interface Asked {
  readonly entry: Entry;
  readonly group: { left: number };
}

const MOST_GROUPS = 2; // one at work, one at hand

const program = new URL(import.meta.url.endsWith('.ts') ? './worker.node.ts' : './worker.node.js', import.meta.url);
const execArgv = program.pathname.endsWith('.ts')
  ? ['--conditions=source', '--disable-warning=ExperimentalWarning']
  : [];

export class WorkerProcess {
  /** The guard's hazards, once it is loaded. Rejects in one line where it is not. */
  readonly ready: Promise<readonly string[]>;
  readonly #child: ChildProcess;
  readonly #handlers: WorkerHandlers;
  readonly #asked = new Map<number, Asked>();
  #groups = 0;
  #isReady = false;
  #isRetiring = false;

  constructor(load: LoadMessage, handlers: WorkerHandlers) {
    this.#handlers = handlers;
    // nobody reads what a runtime prints, and no log may hold it
    this.#child = fork(program, [], { execArgv, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    const { promise, resolve, reject } = Promise.withResolvers<readonly string[]>();
    this.ready = promise;
    promise.catch(() => {}); // who waits for it hears of it; onExit tells the others
    this.#child.on('message', (message: FromWorker) => {
      if (message.kind === 'ready') {
        this.#isReady = true;
        resolve(message.categories);
      } else if (message.kind === 'failed') {
        reject(new Error(message.message));
        this.#child.kill('SIGKILL');
      } else this.#settle(message);
    });
    const end = (how: string) => {
      this.#isReady = false;
      reject(new Error(`A worker ended with ${how} while it loaded. Was there enough memory?`));
      this.#loseAll();
      handlers.onExit(how);
    };
    this.#child.on('error', (error: NodeJS.ErrnoException) => {
      if (this.#child.pid === undefined) end(error.code ?? error.name); // it did not start, so it does not exit either
    });
    this.#child.on('exit', (code, signal) => end(signal ?? `code ${code}`));
    this.#send(load);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** Groups it holds; over one it need not be given more while others have fewer. */
  get groups(): number {
    return this.#groups;
  }

  get hasRoom(): boolean {
    return this.#isReady && !this.#isRetiring && this.#groups < MOST_GROUPS;
  }

  ask(entries: readonly Entry[]): void {
    const group = { left: entries.length };
    this.#groups += 1;
    for (const entry of entries) this.#asked.set(entry.id, { entry, group });
    this.#send({ kind: 'check', questions: entries.map(({ id, request }) => ({ id, request })) });
  }

  /** Of these ids it computes no more than it has begun. */
  abort(ids: readonly number[]): void {
    const mine = ids.filter((id) => this.#asked.has(id));
    if (mine.length > 0) this.#send({ kind: 'abort', ids: mine });
  }

  /** Ends it when it has answered what it was asked. */
  retire(): void {
    this.#isRetiring = true;
    this.#endIfIdle();
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #settle(message: Extract<FromWorker, { id: number }>): void {
    const asked = this.#asked.get(message.id);
    if (asked === undefined) return;
    const { entry, group } = asked;
    this.#asked.delete(message.id);
    if (message.kind === 'answer') entry.resolve(message.answer);
    else entry.reject(new ApiError(500, `The guard failed (${message.name}).`, { code: 'guard_failed' }));
    group.left -= 1;
    if (group.left > 0) return;
    this.#groups -= 1;
    this.#endIfIdle();
    this.#handlers.onRoom();
  }

  #loseAll(): void {
    const message = 'The worker that had this request was lost. Ask again.';
    for (const { entry } of this.#asked.values()) entry.reject(new ApiError(502, message, { code: 'worker_lost' }));
    this.#asked.clear();
    this.#groups = 0;
  }

  #endIfIdle(): void {
    if (this.#isRetiring && this.#groups === 0 && this.#child.connected) this.#child.disconnect();
  }

  #send(message: ToWorker): void {
    if (!this.#child.connected) return; // its exit tells
    this.#child.send(message, (error) => {
      if (error) this.#child.kill('SIGKILL');
    });
  }
}
