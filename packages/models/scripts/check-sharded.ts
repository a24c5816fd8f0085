/**
 * What we write in several files, loaded by transformers:
 *
 *     node --conditions=source packages/models/scripts/check-sharded.ts <python>
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadWeights, saveModel } from '../src/load.node.ts';

const [python] = process.argv.slice(2);
if (python === undefined) throw new Error('Give the Python that has transformers.');
const script = path.join(import.meta.dirname, 'check_sharded.py');
const original = path.join(import.meta.dirname, '..', 'test', 'oracles', 'bert-tiny');
const loaded = await loadWeights(original, { head: 'sequence-classification' });
const folder = mkdtempSync(path.join(tmpdir(), 'harmaug-sharded-'));
try {
  for (const options of [{}, { maxShardBytes: 20_000 }, { maxShardBytes: 1 }, {}]) {
    await saveModel(folder, loaded, options); // over the one before
    const { status } = spawnSync(python, [script, 'check', folder], { stdio: 'inherit' });
    if (status !== 0) process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true });
}
