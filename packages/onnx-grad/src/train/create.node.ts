import { type Device, expectDevice } from '../session/session.node.ts';
import { createCpuTrainer } from './cpu.node.ts';
import type { TrainingProgram } from './program.ts';
import type { CreateTrainer, Trainer, TrainerOptions } from './trainer.ts';
import { createWebgpuTrainer } from './webgpu.node.ts';

const trainers: Record<Device, CreateTrainer> = {
  cpu: createCpuTrainer,
  webgpu: createWebgpuTrainer,
};

/**
 * A trainer of this program on a device of the ordinary onnxruntime; 'cpu' unless asked for otherwise.
 * @example
 * const trainer = await createTrainer(program, { learningRate: schedules.linear({ peak: 3e-5, totalSteps: 1000 }) });
 * const { loss } = await trainer.step(batch);
 * @throws ConfigError for options out of range or a device that is none of ours; DeviceError where the machine has no
 *   such device
 */
export async function createTrainer(
  program: TrainingProgram,
  options: TrainerOptions & { device?: Device },
): Promise<Trainer> {
  const { device = 'cpu' } = options;
  expectDevice(device);
  return trainers[device](program, options);
}
