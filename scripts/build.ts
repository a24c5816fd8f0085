/** `npm run build`: every package as it is published, in its dist folder. A package is built after those it imports. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { SiteFiles } from '../packages/harmaug/src/playground/files.ts';
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

// what `harmaug playground` serves; an image for `harmaug serve` is built without it
const playground = path.join(root, 'apps/playground/build.node.ts');
if (existsSync(playground)) {
  const { buildPage } = (await import(pathToFileURL(playground).href)) as { buildPage(): Promise<SiteFiles> };
  const out = path.join(root, 'packages/harmaug/dist/page');
  for (const [name, content] of await buildPage()) {
    const file = path.join(out, name);
    mkdirSync(path.dirname(file), { recursive: true });
    if ('bytes' in content) writeFileSync(file, content.bytes);
    else copyFileSync(content.file, file);
  }
  console.log('built packages/harmaug/dist/page');
}
