/**
 * Writes every case in every type, for check_gguf.py to read with the gguf package.
 *
 *     node --conditions=source packages/models/test/gguf-oracles/write-cases.ts <folder>
 */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describeConfig } from '../../src/gguf/architectures.ts';
import { weightsOf } from '../../src/gguf/weights.ts';
import { writeGguf } from '../../src/gguf/write.node.ts';
import { ggufCases, readGgufCase } from '../gguf-cases.node.ts';

const folder = process.argv[2];
if (folder === undefined) throw new Error('Name the folder to write to.');
await mkdir(folder, { recursive: true });
for (const name of ggufCases) {
  const source = readGgufCase(name);
  const { architecture, config } = describeConfig(source.json);
  const shapes = weightsOf(config, architecture).map(({ gguf, shape }) => [gguf, shape]);
  await writeFile(path.join(folder, `${name}.json`), JSON.stringify({ shapes: Object.fromEntries(shapes) }));
  for (const type of ['f32', 'f16', 'q8_0'] as const) {
    await writeGguf(path.join(folder, `${name}.${type}.gguf`), { ...source, type });
  }
}
