/** Sessions of onnxruntime-node: created with our options, their failures told in our words. */
import * as ort from 'onnxruntime-node';
import { DeviceError } from '../errors.ts';
import { encodeModel } from '../onnx/encode.ts';
import type { ModelRecord } from '../onnx/model.ts';

export type Device = 'cpu' | 'webgpu';

export interface SessionOptions {
  readonly device?: Device;
  /** Threads of the CPU provider; 0 lets onnxruntime choose. */
  readonly threads?: number;
  /** Keeps equal nodes apart, as recomputation needs. */
  readonly keepDuplicates?: boolean;
  /** Leaves outputs on the device, to be fed to the next run. */
  readonly outputsOnDevice?: boolean;
  /** Outputs that come to the CPU all the same. */
  readonly outputsOnCpu?: readonly string[];
}

export async function createSession(model: ModelRecord, options: SessionOptions = {}): Promise<ort.InferenceSession> {
  const { device = 'cpu', threads = 0, keepDuplicates = false } = options;
  const extra = keepDuplicates
    ? { optimization: { disable_specified_optimizers: 'CommonSubexpressionElimination' } }
    : {};
  try {
    return await ort.InferenceSession.create(encodeModel(model), {
      executionProviders: device === 'cpu' ? ['cpu'] : ['webgpu', 'cpu'],
      intraOpNumThreads: threads,
      graphOptimizationLevel: 'all',
      logSeverityLevel: 3, // errors only: onnxruntime warns of every node that stays on the CPU
      extra: { ...extra, ...(process.env.NOSPIN ? { session: { force_spinning_stop: '1' } } : {}) },
      ...outputLocations(model, options),
    });
  } catch (cause) {
    throw sessionError(device, cause);
  }
}

function sessionError(device: Device, cause: unknown): Error {
  const text = cause instanceof Error ? cause.message : String(cause);
  if (device === 'webgpu' && /adapter|device|vulkan|webgpu/i.test(text)) {
    return new DeviceError(
      "No WebGPU adapter was found. It needs a GPU with a Vulkan, Metal or Direct3D 12 driver; use device: 'cpu' without one.",
      { cause },
    );
  }
  return new DeviceError(`internal: onnxruntime refused the graph: ${text.split('\n')[0]}`, { cause });
}

function outputLocations(model: ModelRecord, { outputsOnDevice, outputsOnCpu = [] }: SessionOptions) {
  if (!outputsOnDevice) return {};
  const locations = model.graph.outputs.map(({ name }) => [name, outputsOnCpu.includes(name) ? 'cpu' : 'gpu-buffer']);
  return { preferredOutputLocation: Object.fromEntries(locations) as Record<string, 'cpu' | 'gpu-buffer'> };
}
