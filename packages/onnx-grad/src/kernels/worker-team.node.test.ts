import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Arena, type Buffer32 } from './arena.ts';
import { chunkCount, layOutJobs } from './chunks.ts';
import { createExchangeBuffers, Exchange } from './exchange.ts';
import { operationNames } from './operations.ts';
import { WorkerTeam } from './worker-team.node.ts';

const LENGTH = 1_000_000;

let exchange: Exchange;
let team: WorkerTeam;
let arena: Arena;
beforeEach(async () => {
  const buffers = createExchangeBuffers();
  exchange = new Exchange(buffers);
  team = await WorkerTeam.start(2, exchange, buffers);
  arena = new Arena(undefined, (memory) => team.announce(memory));
});
afterEach(() => team.dispose());

describe('the workers', () => {
  it('do all the work when the calling thread does none, in memories opened after they started', () => {
    for (let round = 1; round <= 3; round++) {
      const [[array]] = arena.allocate([{ lengths: [LENGTH] }]) as [[Buffer32]];
      array.data.fill(round);
      expect(sumByWorkers(array.memory)).toBe(LENGTH * round ** 2);
    }
  });

  it('sleep until they are woken, and wake every time', async () => {
    const [[array]] = arena.allocate([{ lengths: [LENGTH] }]) as [[Buffer32]];
    array.data.fill(2);
    for (let round = 0; round < 20; round++) {
      await new Promise((resolve) => setTimeout(resolve, round));
      expect(sumByWorkers(0)).toBe(LENGTH * 4);
    }
  });
});

function sumByWorkers(memory: number): number {
  const operation = operationNames.indexOf('sumSquares');
  const { starts, total } = layOutJobs([LENGTH]);
  const chunks = chunkCount(total);
  exchange.publish([{ operation, length: LENGTH, memory, pointers: [0], scalars: [] }], starts, chunks);
  const deadline = performance.now() + 5000;
  while (exchange.done < chunks && performance.now() < deadline) exchange.waitForProgress(exchange.done, 100);
  expect(exchange.done).toBe(chunks);
  return exchange.partials.subarray(0, chunks).reduce((sum, partial) => sum + partial, 0);
}
