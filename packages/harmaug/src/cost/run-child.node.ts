/** A model measured in a process of its own. */
import { fork } from 'node:child_process';
import { ConfigError } from 'onnx-grad';
import type { Measured, MeasureReply, MeasureRequest } from './child.ts';

export interface RunChildOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly onProgress: (set: number) => void;
}

const isSource = import.meta.url.endsWith('.ts');
const program = new URL(`./child-process.node.${isSource ? 'ts' : 'js'}`, import.meta.url);

/** @throws ConfigError with what the process said, or that it died; the signal's reason when aborted */
export async function measureInChild(
  request: MeasureRequest,
  { env, signal, onProgress }: RunChildOptions,
): Promise<Measured> {
  signal.throwIfAborted();
  const execArgv = isSource ? ['--conditions=source', '--disable-warning=ExperimentalWarning'] : [];
  // what a model's runtime prints belongs to nobody's figures
  const child = fork(program, [], {
    execArgv,
    env: env as NodeJS.ProcessEnv,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const { promise, resolve, reject } = Promise.withResolvers<Measured>();
  const stop = () => child.kill('SIGKILL');
  signal.addEventListener('abort', stop, { once: true });
  child.on('message', (reply: MeasureReply) => {
    if (reply.kind === 'progress') onProgress(reply.set);
    else if (reply.kind === 'failed') reject(new ConfigError(reply.message));
    else resolve({ speeds: reply.speeds, peakMemoryBytes: reply.peakMemoryBytes });
  });
  child.on('error', reject);
  child.on('exit', (code, killedBy) => {
    const how = killedBy === null ? `with code ${code}` : `by ${killedBy}: was there enough memory?`;
    reject(signal.aborted ? signal.reason : new ConfigError(`The process that measures ended ${how}.`));
  });
  child.send(request);
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}
