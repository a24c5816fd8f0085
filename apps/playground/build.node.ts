/** The playground's page as files: bundled from the sources, with onnxruntime-web's files beside it. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { build } from 'esbuild';
import type { SiteFile } from '../../packages/harmaug/src/playground/files.ts';
import { style } from '../../packages/harmaug/src/report/style.ts';

const here = import.meta.dirname;
const root = path.join(here, '../..');
const runtime = path.dirname(createRequire(import.meta.url).resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm'));

/** WebAssembly alone, and with WebGPU. */
const runtimeFiles = ['ort-wasm-simd-threaded', 'ort-wasm-simd-threaded.asyncify'].flatMap((name) => [
  `${name}.mjs`,
  `${name}.wasm`,
]);

/** Everything from the site itself, connections left open. */
const policy = (connect: string): string =>
  [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "worker-src 'self' blob:",
    "style-src 'self'",
    "img-src 'self'",
    `connect-src ${connect}`,
    "form-action 'self'",
    "base-uri 'none'",
  ].join('; ');

/** By page: where it may connect to. The second narrows that itself to the one place it is asked for. */
const pages: Readonly<Record<string, string>> = {
  'index.html': "'self'",
  'elsewhere.html': "'self' https: http://localhost:* http://127.0.0.1:*",
};

/** @returns files by their path in the site, the guard's left out */
export async function buildPage(): Promise<Map<string, SiteFile>> {
  const scripts = await bundle(
    {
      page: path.join(here, 'src/page.ts'),
      'worker.web': path.join(root, 'packages/guard/src/worker/worker.web.ts'),
    },
    { splitting: true, chunkNames: 'chunk-[hash]' },
  );
  const template = readFileSync(path.join(here, 'index.html'), 'utf8');
  const text = (content: string): SiteFile => ({ bytes: new TextEncoder().encode(content) });
  const files = new Map<string, SiteFile>([
    ...Object.entries(pages).map(
      ([name, connect]) => [name, text(template.replace('{{policy}}', policy(connect)))] as const,
    ),
    ...scripts,
    ['style.css', text(`${style}\n${readFileSync(path.join(here, 'playground.css'), 'utf8')}`)],
    ['icon.svg', { bytes: readFileSync(path.join(here, 'icon.svg')) }],
  ]);
  const shell = [...files.keys()];
  const { version } = JSON.parse(readFileSync(path.join(runtime, '../package.json'), 'utf8')) as { version: string };
  const hash = createHash('sha256').update(version);
  for (const file of files.values()) if ('bytes' in file) hash.update(file.bytes);
  const worker = await bundle(
    { sw: path.join(here, 'src/service-worker.ts') },
    { define: { VERSION: JSON.stringify(hash.digest('hex').slice(0, 16)), SHELL: JSON.stringify(shell) } },
  );
  const ort = runtimeFiles.map((name) => [`ort/${name}`, { file: path.join(runtime, name) }] as const);
  return new Map<string, SiteFile>([...files, ...worker, ...ort]);
}

async function bundle(
  entryPoints: Record<string, string>,
  options: object,
): Promise<(readonly [name: string, file: SiteFile])[]> {
  const { outputFiles } = await build({
    entryPoints,
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    conditions: ['source'],
    absWorkingDir: root,
    outdir: '/',
    logLevel: 'error',
    ...options,
  });
  return outputFiles.map(({ path: file, contents }) => [path.basename(file), { bytes: contents }] as const);
}
