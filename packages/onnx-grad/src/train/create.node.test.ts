import { describe, expect, it } from 'vitest';
import { ConfigError } from '../errors.ts';
import type { Device } from '../session/session.node.ts';
import { createTrainer } from './create.node.ts';
import { tinyBatch, tinyProgram } from './tiny-program.testing.node.ts';

describe('createTrainer', () => {
  it('trains on the CPU unless told otherwise', async () => {
    const trainer = await createTrainer(tinyProgram(), { learningRate: 0.1, threads: 1 });
    const batch = tinyBatch({ rows: 4, length: 6 });
    const first = await trainer.step(batch);
    for (let step = 0; step < 20; step++) await trainer.step(batch);
    const last = await trainer.step(batch);
    expect(last).toMatchObject({ step: 22, learningRate: 0.1 });
    expect(last.loss).toBeLessThan(first.loss / 2);
    await trainer.dispose();
  });

  it('refuses a device that is none, and says which there are', async () => {
    const refused = createTrainer(tinyProgram(), { learningRate: 0.1, device: 'gpu' as Device });
    await expect(refused).rejects.toThrow(new ConfigError('Unknown device "gpu". Available: cpu, webgpu.'));
  });
});
