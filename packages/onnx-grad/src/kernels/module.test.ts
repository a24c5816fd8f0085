import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { kernelsModule } from './module.ts';

const repository = new URL('../../../../', import.meta.url);
const hasCompiler = existsSync(new URL('node_modules/.bin/asc', repository));

describe('kernelsModule', () => {
  it('takes its memory from outside and holds no data of its own, so that every thread may bind it anew', () => {
    expect(WebAssembly.Module.imports(kernelsModule())).toEqual([{ module: 'env', name: 'memory', kind: 'memory' }]);
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    new Uint8Array(memory.buffer).fill(7);
    new WebAssembly.Instance(kernelsModule(), { env: { memory } });
    expect(new Uint8Array(memory.buffer).every((byte) => byte === 7)).toBe(true);
  });

  it.skipIf(!hasCompiler)('is what the compiler makes of the source', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kernels-'));
    try {
      const output = join(folder, 'kernels-wasm.ts');
      await promisify(execFile)('bash', [new URL('scripts/build-kernels.sh', repository).pathname, output]);
      const committed = new URL('./generated/kernels-wasm.ts', import.meta.url);
      expect(await readFile(output, 'utf8')).toBe(await readFile(committed, 'utf8'));
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
