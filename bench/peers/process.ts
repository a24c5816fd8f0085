/** A peer that runs in a process of its own and answers commands: one JSON line in, one JSON line out. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export class PeerProcess {
  readonly #child: ChildProcess;
  readonly #replies: AsyncIterator<string>;

  constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#replies = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  /** Sends a command and waits for its reply. Commands are answered in order, one at a time. */
  async ask<Reply>(command: { readonly cmd: string; readonly [argument: string]: unknown }): Promise<Reply> {
    this.#child.stdin!.write(`${JSON.stringify(command)}\n`);
    const line = await this.#replies.next();
    if (line.done) throw new Error(`The peer ended during "${command.cmd}"; what it said is above.`);
    const reply = JSON.parse(line.value) as Reply & { error?: string };
    if (reply.error !== undefined) throw new Error(`The peer failed at "${command.cmd}": ${reply.error}`);
    return reply;
  }

  /** Ends the process and waits until it is gone. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.stdin!.end();
    await gone;
  }
}
