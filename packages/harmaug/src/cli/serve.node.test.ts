/** `harmaug serve` as a user runs it: flags, the process, its signals. */
import { spawn } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder, writeSettings, writeTinyGuard } from '../../../guard/test/tiny-guard.node.ts';
import { main } from './main.node.ts';

let folder: string;
beforeAll(async () => {
  folder = await writeTinyGuard(await temporaryFolder());
});
afterAll(() => rm(folder, { recursive: true }));

async function harmaug(argv: readonly string[], env: Record<string, string> = {}) {
  const [out, err]: string[][] = [[], []];
  const exitCode = await main(argv, {
    stdout: { write: (text) => out!.push(text) },
    stderr: { write: (text) => err!.push(text) },
    env,
    signal: new AbortController().signal,
  });
  return { exitCode, stdout: out!.join(''), stderr: err!.join('') };
}

describe('harmaug serve', () => {
  it('is not open to others without keys', async () => {
    for (const host of ['0.0.0.0', '::', '192.168.1.7', 'example.org']) {
      const { exitCode, stderr } = await harmaug(['serve', folder, '--host', host]);
      expect([exitCode, stderr]).toEqual([2, expect.stringMatching(/others can reach it\. Set HARMAUG_API_KEYS/)]);
    }
  });

  it('says what is wrong with a flag, a guard, a key', async () => {
    const wrong: readonly (readonly [string[], number, RegExp])[] = [
      [['--port', '70000'], 2, /--port: expected a whole number from 0 to 65535, got 70000/],
      [['--workers', '1.5'], 2, /--workers: expected a whole number from 1/],
      [['--max-wait', '0'], 2, /--max-wait: expected a number from 0\.001/],
      [['--prot', '80'], 2, /Did you mean --port\?/],
      [['--api-key-file', '/nowhere'], 1, /\/nowhere cannot be read \(ENOENT\)/],
    ];
    for (const [flags, code, message] of wrong) {
      const { exitCode, stderr } = await harmaug(['serve', folder, ...flags]);
      expect([exitCode, stderr]).toEqual([code, expect.stringMatching(message)]);
    }
    const none = await harmaug(['serve', '/nowhere/guard', '--workers', '1', '--port', '0']);
    expect([none.exitCode, none.stderr]).toEqual([1, expect.stringMatching(/nowhere/)]);
  });

  it('serves until SIGTERM, and takes guard and keys anew at SIGHUP', async () => {
    const keys = path.join(folder, 'keys');
    await writeFile(keys, 'the-first-key');
    const bin = path.join(import.meta.dirname, '../../bin/harmaug.js');
    const flags = ['--port', '0', '--workers', '1', '--json', '--api-key-file', keys];
    const child = spawn(process.execPath, [bin, 'serve', folder, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
    const lines = createInterface({ input: child.stderr })[Symbol.asyncIterator]();
    const lineOf = async (event: string): Promise<{ port: number }> => {
      for (;;) {
        const { value, done } = await lines.next();
        if (done) throw new Error(`it ended before "${event}"`);
        if (value.startsWith('{') && JSON.parse(value).event === event) return JSON.parse(value);
      }
    };
    let stdout = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
    try {
      const { port } = await lineOf('listening');
      const ask = async (key: string) => {
        const reply = await fetch(`http://127.0.0.1:${port}/v1/check`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
          body: '{"prompt":"what a nice cake"}',
        });
        return [reply.status, ((await reply.json()) as { threshold?: number }).threshold];
      };
      expect(await ask('the-first-key')).toEqual([200, 0.5]);
      await writeFile(keys, 'the-second-key');
      await writeSettings(folder, { threshold: 0.25 });
      child.kill('SIGHUP');
      await lineOf('reloaded');
      expect(await ask('the-first-key')).toEqual([401, undefined]);
      expect(await ask('the-second-key')).toEqual([200, 0.25]);
      child.kill('SIGTERM');
      expect(await exited).toBe(0);
      expect(JSON.parse(stdout)).toEqual({ guard: folder, requests: 3 });
    } finally {
      child.kill('SIGKILL');
    }
  });
});
