import type { Device } from '../session/session.node.ts';
import { createCpuTrainer } from './cpu.node.ts';
import type { TrainingProgram } from './program.ts';
import type { CreateTrainer, Trainer, TrainerOptions } from './trainer.ts';
import { createWebgpuTrainer } from './webgpu.node.ts';

const devices: Record<Device, CreateTrainer> = {
  cpu: createCpuTrainer,
  webgpu: createWebgpuTrainer,
};

/**
 * A trainer of this program on a device of the ordinary onnxruntime.
 * @throws DeviceError where there is no such device
 */
export function createTrainer(
  program: TrainingProgram,
  options: TrainerOptions & { device?: Device },
): Promise<Trainer> {
  return devices[options.device ?? 'cpu'](program, options);
}
