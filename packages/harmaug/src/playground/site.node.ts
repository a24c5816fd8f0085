/** The playground as a site: the page, the guard's files, and what the page is told of them. Nothing else of the folder. */
import { existsSync, statSync } from 'node:fs';
import { copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { dtypes, modelFiles } from '@harmaug/guard';
import { tokenizerFileNames } from '@harmaug/models/node';
import { ConfigError, FormatError } from 'onnx-grad';
import type { SiteFile, SiteFiles } from './files.ts';
import { readPage } from './page.node.ts';

/** What the page reads of its site. */
const INFO = 'playground.json';

/** What of a guard's folder is read to run it, and so all that the site shows of it. */
const guardFiles: readonly string[] = [
  'config.json',
  'guard.json',
  ...tokenizerFileNames.filter((name) => name !== 'chat_template.jinja'),
  ...dtypes.flatMap((dtype) => modelFiles(dtype)),
];

/**
 * @param folder of an exported guard
 * @throws FormatError for a folder that is none
 */
export async function makeSite(folder: string): Promise<SiteFiles> {
  const at = (name: string): string => path.join(folder, name);
  const models = dtypes.flatMap((dtype) => {
    const file = at(modelFiles(dtype)[0]!);
    return existsSync(file) ? [{ dtype, bytes: statSync(file).size }] : [];
  });
  if (!existsSync(at('config.json'))) {
    throw new FormatError(`${folder} has no config.json. Expected the folder of a guard.`, { file: folder });
  }
  if (models.length === 0) {
    throw new FormatError(`${folder} has no exported model. Export it first: harmaug export ${folder}`, {
      file: folder,
    });
  }
  const info = { name: path.basename(path.resolve(folder)), models };
  return new Map<string, SiteFile>([
    ...(await readPage()),
    ...guardFiles.flatMap((name) => (existsSync(at(name)) ? [[`guard/${name}`, { file: at(name) }] as const] : [])),
    [INFO, { bytes: new TextEncoder().encode(JSON.stringify(info)) }],
  ]);
}

export interface WrittenSite {
  readonly folder: string;
  readonly files: number;
  readonly bytes: number;
}

/**
 * Writes the site for a static host. What lies there of an older one is replaced.
 * @throws ConfigError for a folder with something else in it
 */
export async function writeSite(site: SiteFiles, folder: string): Promise<WrittenSite> {
  const there = existsSync(folder) ? await readdir(folder) : [];
  if (there.length > 0 && !there.includes(INFO)) {
    throw new ConfigError(`--out ${folder}: expected an empty folder, or one with an older playground.`);
  }
  // another guard may lack what the older one had, its settings for example
  const old = there.filter((name) => name === 'guard' || name.startsWith('chunk-'));
  for (const name of old) await rm(path.join(folder, name), { recursive: true });
  let bytes = 0;
  for (const [name, content] of site) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    if ('bytes' in content) await writeFile(file, content.bytes);
    else await copyFile(content.file, file);
    bytes += statSync(file).size;
  }
  return { folder, files: site.size, bytes };
}
