import { expect, test } from 'vitest';
import type { DriveSide } from './drive/case.ts';
import { benchDrive, growth, runDrive } from './drive.ts';

const side = (name: string, ms: number, cpuMs: number): DriveSide => ({
  name,
  run: async () => ({ ms, cpuMs, rssMiB: [90, 90, 100, 101, 99, 100, 101, 100] }),
  dispose: async () => {},
});
const options = { calls: 1000, inFlight: 100, latencyMs: 50, rounds: 2 };

test('rates, computing and memory, against the ideal and against the peer', async () => {
  const rows = await benchDrive(options, side('harmaug', 510, 100), side('distilabel', 2040, 900));
  const [ideal, cpu, memory, peer] = rows;
  expect(ideal).toMatchObject({ case: 'ideal', peers: { ideal: 2000 } });
  expect(ideal!.ratio).toBeCloseTo(0.98, 2);
  expect(cpu).toMatchObject({ case: 'cpu', ours: 0.1, ratio: 5, details: { distilabel: 0.9 } });
  expect(memory).toMatchObject({ case: 'memory', ours: 0 });
  expect(peer).toMatchObject({ case: 'distilabel', ratio: 4 });
});

test('without the peer its row shows ours alone', async () => {
  const rows = await benchDrive(options, side('harmaug', 510, 100), null);
  expect(rows.at(-1)).toMatchObject({ case: 'distilabel', ratio: null });
});

test('memory that grows is seen', () => {
  expect(growth([50, 90, 100, 101, 110, 120, 130, 140])).toBe(39);
});

test('a small run against a real server', async () => {
  const { rows } = await runDrive(['--calls', '400', '--in-flight', '40', '--latency', '20', '--peer', 'none']);
  expect(rows[0]!.ratio).toBeGreaterThan(0.2);
  expect(rows[1]!.ours).toBeLessThan(5);
});
