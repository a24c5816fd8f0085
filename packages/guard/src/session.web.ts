/** Models in onnxruntime-web: WebAssembly, or WebGPU where there is an adapter. */
import { ConfigError, DeviceError } from 'onnx-grad';
import { type OpenedModel, openSession } from './session.ts';

export type WebDevice = 'wasm' | 'webgpu';

/** Where onnxruntime-web's .mjs and .wasm files are: the folder, or each file. */
export type WasmPaths = string | { readonly mjs?: string; readonly wasm?: string };

export interface WebSessionOptions {
  readonly device: WebDevice;
  /** 0 for half of the cores, at most 4. */
  readonly threads: number;
  readonly wasmPaths?: WasmPaths;
}

/** Each has a build of the runtime of its own, which is loaded when it is asked for. */
const runtimes = {
  wasm: () => import('onnxruntime-web/wasm'),
  webgpu: () => import('onnxruntime-web/webgpu'),
} as const;

/** The runtime of a page does one thing at a time. */
let last: Promise<unknown> = Promise.resolve();

function inTurn<T>(run: () => Promise<T>): Promise<T> {
  const result = last.then(run);
  last = result.catch(() => undefined);
  return result;
}

/**
 * @param file name for errors
 * @throws FormatError, as `openSession`; DeviceError without an adapter or without onnxruntime-web's files
 */
export async function openModel(file: string, bytes: Uint8Array, options: WebSessionOptions): Promise<OpenedModel> {
  const { device, threads, wasmPaths } = options;
  if (!Object.hasOwn(runtimes, device)) {
    throw new ConfigError(`device: expected ${Object.keys(runtimes).join(' or ')}, got ${JSON.stringify(device)}.`);
  }
  if (device === 'webgpu') await expectAdapter();
  const ort = await runtimes[device]().catch((cause) => {
    throw new DeviceError('onnxruntime-web is not there. Install it: npm install onnxruntime-web', { cause });
  });
  const { wasm } = ort.env;
  wasm.numThreads = globalThis.crossOriginIsolated ? threads : 1; // threads share memory, which only isolated pages may
  if (wasmPaths !== undefined) wasm.wasmPaths = wasmPaths;
  const settings = { executionProviders: [device], logSeverityLevel: 4 } as const;
  return openSession(
    file,
    () =>
      inTurn(() => ort.InferenceSession.create(bytes, settings).catch(explain)).then((session) => ({
        inputNames: session.inputNames,
        outputNames: session.outputNames,
        run: (feeds) => inTurn(() => session.run(feeds)),
        release: () => inTurn(() => session.release()),
      })),
    ({ data, dims }) => new ort.Tensor('int64', data as BigInt64Array, dims),
  );
}

/** Its .mjs and .wasm files are fetched with the first session: where that fails, the model is not to blame. */
function explain(cause: Error): never {
  if (!/no available backend/i.test(cause.message)) throw cause;
  const why = cause.message.split('\n')[0]!.slice(0, 300);
  const remedy = 'Serve its ort-wasm files and name their folder in wasmPaths.';
  throw new DeviceError(`onnxruntime-web does not start (${why}). ${remedy}`, { cause });
}

interface Gpu {
  requestAdapter(): Promise<unknown>;
}

async function expectAdapter(): Promise<void> {
  const { gpu } = navigator as { gpu?: Gpu };
  if ((await gpu?.requestAdapter()) != null) return;
  const why = gpu
    ? 'this machine has no WebGPU adapter'
    : 'this browser has no WebGPU, or the page is not served over https';
  throw new DeviceError(`device: ${why}. Use device: 'wasm', which runs everywhere.`);
}
