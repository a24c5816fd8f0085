import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { kernelsModule } from './module.ts';

describe('kernelsModule', () => {
  it('takes its memory from outside and holds no data of its own, so that every thread may bind it anew', () => {
    expect(WebAssembly.Module.imports(kernelsModule())).toEqual([{ module: 'env', name: 'memory', kind: 'memory' }]);
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    new Uint8Array(memory.buffer).fill(7);
    new WebAssembly.Instance(kernelsModule(), { env: { memory } });
    expect(new Uint8Array(memory.buffer).every((byte) => byte === 7)).toBe(true);
  });

  it('was compiled from the source that lies beside it', async () => {
    const read = (name: string) => readFile(new URL(name, import.meta.url), 'utf8');
    const hash = createHash('sha256')
      .update(await read('./assembly/kernels.ts'))
      .digest('hex');
    expect(await read('./generated/kernels-wasm.ts')).toContain(`SHA-256 ${hash}`);
  });
});
