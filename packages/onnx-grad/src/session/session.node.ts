/** Sessions of onnxruntime-node: created with our options, their failures told in our words. */
import * as ort from 'onnxruntime-node';
import { ConfigError, DeviceError } from '../errors.ts';
import { encodeModel } from '../onnx/encode.ts';
import type { ModelRecord } from '../onnx/model.ts';

/** onnxruntime's execution providers by device, each taking what the one before it lacks. */
const providers = { cpu: ['cpu'], webgpu: ['webgpu', 'cpu'] } as const;

export type Device = keyof typeof providers;

export interface SessionOptions {
  readonly device?: Device;
  /** Threads of the CPU provider; 0 lets onnxruntime choose. */
  readonly threads?: number;
  /** Keeps equal nodes apart, as recomputation needs. */
  readonly keepDuplicates?: boolean;
  /**
   * Puts the CPU provider's threads to sleep at the end of a run. They spin for a while otherwise, ready for the next
   * one, which takes the cores from whatever else works between runs. Default false, as onnxruntime.
   */
  readonly sleepsBetweenRuns?: boolean;
  /** Leaves outputs on the device, to be fed to the next run. */
  readonly outputsOnDevice?: boolean;
  /** Outputs that come to the CPU all the same. */
  readonly outputsOnCpu?: readonly string[];
  /** Where to write the graph as it runs, after onnxruntime's own rewriting: to look at. */
  readonly optimizedModelPath?: string;
}

/**
 * @throws ConfigError for a device that is none of ours
 * @throws DeviceError where the machine has no such device, or onnxruntime refuses the graph
 */
export async function createSession(model: ModelRecord, options: SessionOptions = {}): Promise<ort.InferenceSession> {
  const { device = 'cpu', threads = 0 } = options;
  expectDevice(device);
  try {
    return await ort.InferenceSession.create(encodeModel(model), {
      executionProviders: providers[device],
      intraOpNumThreads: threads,
      graphOptimizationLevel: 'all',
      logSeverityLevel: 4, // errors are thrown as well, and of every node that stays on the CPU it would warn
      extra: configEntries(options),
      ...(options.optimizedModelPath ? { optimizedModelFilePath: options.optimizedModelPath } : {}),
      ...outputLocations(model, options),
    });
  } catch (cause) {
    throw sessionError(cause);
  }
}

/** @throws ConfigError for a name that is no device of ours */
export function expectDevice(device: string): asserts device is Device {
  if (Object.hasOwn(providers, device)) return;
  throw new ConfigError(`Unknown device "${device}". Available: ${Object.keys(providers).join(', ')}.`);
}

/** Source: onnxruntime_session_options_config_keys.h; onnxruntime-node joins the levels with dots. */
function configEntries({ keepDuplicates, sleepsBetweenRuns }: SessionOptions): Record<string, unknown> {
  return {
    ...(keepDuplicates ? { optimization: { disable_specified_optimizers: 'CommonSubexpressionElimination' } } : {}),
    ...(sleepsBetweenRuns ? { session: { force_spinning_stop: '1' } } : {}),
  };
}

function sessionError(cause: unknown): Error {
  const text = cause instanceof Error ? cause.message : String(cause);
  if (/Failed to get a WebGPU adapter/.test(text)) {
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
