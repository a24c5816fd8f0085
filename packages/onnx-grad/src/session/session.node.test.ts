import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Tensor } from 'onnxruntime-node';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ConfigError, DeviceError } from '../errors.ts';
import { emitModel } from '../graph/emit.ts';
import type { Value } from '../graph/graph.ts';
import { add, exp, mul } from '../graph/ops.ts';
import { createGraph } from '../graph/table.ts';
import { readModelFile } from '../onnx/files.node.ts';
import { createSession, type Device, type SessionOptions } from './session.node.ts';

function modelOf(build: (x: Value) => Value) {
  const graph = createGraph();
  return emitModel(graph, new Map([['y', build(graph.input('x', 'float32', [2]))]]));
}

const doubled = modelOf((x) => add(x, x));

describe('a session', () => {
  it.each<SessionOptions>([{}, { device: 'cpu', threads: 1 }, { keepDuplicates: true, sleepsBetweenRuns: true }])(
    'runs with %o',
    async (options) => {
      const session = await createSession(doubled, options);
      const { y } = await session.run({ x: new Tensor(Float32Array.of(1, 2), [2]) });
      expect([...(y!.data as Float32Array)]).toEqual([2, 4]);
      await session.release();
    },
  );

  it('refuses a device that is none, and says which there are', async () => {
    const refused = createSession(doubled, { device: 'cuda' as Device });
    await expect(refused).rejects.toThrow(new ConfigError('Unknown device "cuda". Available: cpu, webgpu.'));
    await expect(createSession(doubled, { device: 'toString' as Device })).rejects.toThrow(ConfigError);
  });

  it('says why onnxruntime refused a graph', async () => {
    const { graph, ...rest } = doubled;
    const nodes = graph.nodes.map((node) => ({ ...node, opType: 'Nonsense' }));
    const refused = createSession({ ...rest, graph: { ...graph, nodes } });
    await expect(refused).rejects.toThrow(DeviceError);
    await expect(refused).rejects.toThrow(/^internal: onnxruntime refused the graph: .*Nonsense/);
  });
});

describe('equal nodes', () => {
  const twice = modelOf((x) => mul(exp(x), exp(x)));

  it.each([
    [false, 1],
    [true, 2],
  ])('with keepDuplicates %s are computed by %i', async (keepDuplicates, count) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'onnx-grad-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const optimizedModelPath = path.join(folder, 'optimized.onnx');
    const session = await createSession(twice, { keepDuplicates, optimizedModelPath });
    await session.release();
    const { graph } = await readModelFile(optimizedModelPath);
    expect(graph.nodes.filter(({ opType }) => opType === 'Exp')).toHaveLength(count);
  });
});

// On Linux a driver can be hidden from the child; Metal and Direct3D cannot
describe.runIf(process.platform === 'linux')('on a machine without an adapter', () => {
  const program = `
    import { subscribe } from 'node:diagnostics_channel';
    import { createGraph, emitModel, ops } from 'onnx-grad';
    import { createSession, createTrainer } from 'onnx-grad/node';
    let workers = 0;
    subscribe('worker_threads', ({ worker }) => { workers++; worker.once('exit', () => workers--); });
    const graph = createGraph();
    const value = graph.input('w', 'float32', []);
    const loss = ops.mul(value, value);
    const parameters = [{ name: 'w', value, initial: new Float32Array(1), weightDecay: 0 }];
    const attempts = [
      () => createSession(emitModel(graph, new Map([['loss', loss]])), { device: 'webgpu' }),
      () => createTrainer({ graph, loss, parameters }, { device: 'webgpu', learningRate: 0.1 }),
    ];
    for (const attempt of [...attempts, ...attempts]) {
      const { name, message } = await attempt().catch((error) => error);
      console.log(name, message, workers);
    }`;

  it('webgpu is one clear error, every time, with nothing left behind', async () => {
    const flags = ['--conditions=source', '--input-type=module', '--no-warnings', '--eval', program];
    const cwd = new URL('../..', import.meta.url);
    const env = { ...process.env, VK_ICD_FILENAMES: '/none', VK_DRIVER_FILES: '/none' };
    const { stdout } = await promisify(execFile)(process.execPath, flags, { cwd, env, timeout: 20_000 });
    const line =
      'DeviceError No WebGPU adapter was found. It needs a GPU with a Vulkan, Metal or Direct3D 12 driver; ' +
      "use device: 'cpu' without one. 0";
    expect(stdout.trim().split('\n')).toEqual([line, line, line, line]);
  });
});
