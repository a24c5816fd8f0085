/** The playground's page: what the published package brings, or in a checkout what is bundled now. */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { SiteFile, SiteFiles } from './files.ts';

/** Beside this folder, put there by `npm run build`. */
const BUILT = path.join(import.meta.dirname, '../page');
const SOURCES = path.join(import.meta.dirname, '../../../../apps/playground/build.node.ts');

/** @throws Error where neither is there */
export async function readPage(): Promise<SiteFiles> {
  if (existsSync(BUILT)) return readBuilt();
  if (!existsSync(SOURCES)) throw new Error('The playground’s page is missing. Install harmaug anew.');
  const { buildPage } = (await import(pathToFileURL(SOURCES).href)) as { buildPage(): Promise<SiteFiles> };
  return buildPage();
}

function readBuilt(): SiteFiles {
  const entries = readdirSync(BUILT, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map<string, SiteFile>(
    entries.map((entry) => {
      const file = path.join(entry.parentPath, entry.name);
      return [path.relative(BUILT, file).replaceAll(path.sep, '/'), { file }];
    }),
  );
}
