/** What goes wrong on the way, and what is never said. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startWriters } from '../loopback/writers.ts';
import {
  ALL,
  CANARY,
  COUNT,
  callsOf,
  harmaug,
  harmaugUntil,
  type MildRun,
  mildRecipe,
  rowsOf,
  stages,
  startMildRun,
} from './harness.node.ts';

let mild: MildRun;
beforeAll(async () => {
  mild = await startMildRun();
  await mild.runAll(mild.mild, 'whole');
});
afterAll(() => mild.close());

describe('what goes wrong', () => {
  test('Ctrl-C ends in order: calls under way are recorded, and the same command goes on', async () => {
    const stop = new AbortController();
    const slow = await startWriters({
      delayMs: () => {
        if (slow.answeredBodies.length >= 12) stop.abort(new Error('stopped'));
        return 20;
      },
    });
    const own = mild.recipe('stop.yaml', mildRecipe(slow.url, COUNT, { concurrency: 4, timeoutSeconds: 5 }));
    const { exitCode, stdout } = await harmaugUntil(stop.signal, 'generate', own, '--out', mild.at('stopped'));
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/Stopped\. What was answered is recorded; the same command goes on from there\./);
    const answered = slow.answeredBodies.filter(({ seed }) => seed !== undefined).length;
    expect(callsOf(mild.at('stopped')).filter(({ stage }) => stage === 'generate')).toHaveLength(answered);
    await mild.runAll(own, 'stopped');
    await slow.close();
    expect(rowsOf(mild.at('stopped'))).toEqual(rowsOf(mild.at('whole')));
  });

  test('a call that fails for good is told of, and asked again next time', async () => {
    let isBroken = true;
    const broken = await startWriters({
      fault: ({ body, response }) => {
        const isHit = isBroken && body.model === 'helper' && Number(body.seed) % 3 === 0;
        if (isHit) response.writeHead(422).end('{"error":{"message":"not this one"}}');
        return isHit;
      },
    });
    const own = mild.recipe('broken.yaml', mildRecipe(broken.url, COUNT));
    await harmaug('generate', own, '--out', mild.at('broken'));
    const first = await harmaug('respond', own, '--out', mild.at('broken'), '--json');
    expect(first.exitCode).toBe(1);
    const report = JSON.parse(first.stdout);
    expect(report.calls.failed).toBeGreaterThan(3);
    expect(report.calls.made + report.calls.failed).toBe(2 * ALL);
    isBroken = false;
    const second = JSON.parse((await harmaug('respond', own, '--out', mild.at('broken'), '--json')).stdout);
    expect(second).toMatchObject({ complete: true, calls: { made: report.calls.failed, failed: 0 } });
    const attempts = callsOf(mild.at('broken')).map(({ attempts: n }) => Number(n));
    expect(attempts.filter((n) => n > 1)).toHaveLength(report.calls.failed);
    await broken.close();
  });

  test('a server that ignores the prefix is refused before the first row', async () => {
    const deaf = await startWriters({
      fault: ({ body }) => {
        const messages = body.messages as { role: string }[];
        if (messages.at(-1)!.role === 'assistant') messages.pop();
        delete body.continue_final_message;
        return false;
      },
    });
    const own = mild.recipe('deaf.yaml', mildRecipe(deaf.url, COUNT));
    const { exitCode, stderr } = await harmaug('generate', own, '--out', mild.at('deaf'));
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/ignores the prefix/);
    expect(deaf.requests.filter(({ seed }) => seed !== undefined)).toHaveLength(0);
    const bare = mild.recipe(
      'bare.yaml',
      (({ generate, benign, respond, ...rest }) => {
        return { ...rest, generate: { ...generate, prefix: 'none' }, benign: { ...benign, prefix: 'none' } };
      })(mildRecipe(deaf.url, 5)),
    );
    expect(await harmaug('generate', bare, '--out', mild.at('bare'))).toMatchObject({ exitCode: 0 });
    await deaf.close();
  });

  test('a server that is gone stops the run soon', async () => {
    const own = mild.recipe('gone.yaml', mildRecipe('http://127.0.0.1:9/v1', COUNT, { patienceSeconds: 0.2 }));
    const { exitCode, stderr } = await harmaug('generate', own, '--out', mild.at('gone'));
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/What was answered is recorded; the same command goes on from there\./);
  });

  test('two commands at once: one of them is told', async () => {
    const slow = await startWriters({ delayMs: () => 30 });
    const own = mild.recipe('twice.yaml', mildRecipe(slow.url, COUNT, { timeoutSeconds: 5 }));
    const both = await Promise.all([1, 2].map(() => harmaug('generate', own, '--out', mild.at('twice'))));
    const [done, refused] = both.sort((one, other) => one.exitCode - other.exitCode);
    expect(done).toMatchObject({ exitCode: 0 });
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/in use by another process/) });
    await slow.close();
  });
});

test('no text of a run is in any output, only ids and counts', async () => {
  const said = await startWriters();
  const own = mild.recipe('masked.yaml', mildRecipe(said.url, COUNT));
  const outputs: string[] = [];
  for (const flags of [[], ['--json'], ['--plan']]) {
    for (const stage of stages) {
      const { stdout, stderr } = await harmaug(stage, own, '--out', mild.at('masked'), ...flags);
      outputs.push(stdout, stderr);
    }
  }
  for (const flags of [[], ['--json']]) {
    const { stdout, stderr } = await harmaug('export-data', own, '--out', mild.at('masked'), ...flags);
    outputs.push(stdout, stderr);
  }
  outputs.push(
    readFileSync(mild.at('masked/recipe.yaml'), 'utf8'),
    readFileSync(path.join(mild.at('masked'), 'dataset/README.md'), 'utf8'),
  );
  await said.close();
  const { instructions, pairs } = rowsOf(mild.at('masked'));
  const texts = [...instructions.map(({ text }) => text), ...pairs.map(({ response }) => response)].filter(
    (text): text is string => typeof text === 'string' && text.length > 10,
  );
  expect(texts.length).toBeGreaterThan(60);
  const all = outputs.join('\n');
  expect(texts.filter((text) => all.includes(text))).toEqual([]);
  expect(all).not.toContain(CANARY);
});
