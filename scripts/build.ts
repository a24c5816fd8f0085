/** `npm run build`: every package as it is published, in its dist folder. A package is built after those it imports. */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { layers } from './layers.ts';

const root = path.join(import.meta.dirname, '..');

for (const name of layers.packages!.flat()) {
  const folder = path.join(root, 'packages', name);
  const config = path.join(folder, 'tsconfig.build.json');
  if (!existsSync(config)) continue;
  rmSync(path.join(folder, 'dist'), { recursive: true, force: true });
  const { status } = spawnSync(path.join(root, 'node_modules', '.bin', 'tsc'), ['-p', config], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
  console.log(`built packages/${name}/dist`);
}
