/** The command line as a user runs it, in this process. */
import { main } from '../src/cli/main.node.ts';

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function harmaug(...argv: readonly string[]): Promise<Ran> {
  const out = { stdout: '', stderr: '' };
  const exitCode = await main(argv, {
    stdout: { write: (text: string) => (out.stdout += text) },
    stderr: { write: (text: string) => (out.stderr += text) },
    env: {},
    signal: new AbortController().signal,
  });
  return { exitCode, ...out };
}
