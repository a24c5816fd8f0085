/**
 * How much the guard weighs: installed with its dependencies but the runtimes, and in a browser's bundle without the runtime.
 * `npm run check:size`, which builds the packages first; fails over a limit. Asks the registry for what npm's cache lacks.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const MOST_INSTALLED_BYTES = 2_000_000;
const MOST_BUNDLE_BYTES = 250_000; // gzipped
const PACKAGES = ['onnx-grad', 'models', 'guard'];

const root = path.join(import.meta.dirname, '../../..');
const folder = mkdtempSync(path.join(tmpdir(), 'harmaug-size-'));
try {
  install();
  const modules = path.join(folder, 'node_modules');
  const installed = Object.entries(sizesOf(modules));
  const sizes = installed.map(([name, bytes]) => ({ package: name, kB: Math.round(bytes / 1000) }));
  console.table(sizes);
  const total = installed.reduce((sum, [, bytes]) => sum + bytes, 0);
  // the packages stand on their own: nothing is missing until a model is opened
  execFileSync(process.execPath, ['--eval', "import('@harmaug/guard/node')"], { cwd: folder, stdio: 'inherit' });
  const bundle = await bundleOf(['@harmaug/guard/web']);
  const withWorker = await bundleOf(['@harmaug/guard/web', '@harmaug/guard/worker']);
  const figures = [
    ['installed without runtimes', total, MOST_INSTALLED_BYTES],
    ['browser bundle, minified and gzipped', bundle, MOST_BUNDLE_BYTES],
    ['the same and its worker', withWorker, MOST_BUNDLE_BYTES],
  ] as const;
  for (const [what, bytes, most] of figures) {
    process.stdout.write(`${what}: ${(bytes / 1000).toFixed(1)} kB, at most ${most / 1000}\n`);
    if (bytes > most) process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true });
}

/** As an app would, from packed packages. */
function install(): void {
  const npm = (args: readonly string[], cwd: string): string =>
    execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const flags = PACKAGES.flatMap((name) => ['--workspace', `packages/${name}`]);
  const packed = JSON.parse(npm(['pack', '--json', '--pack-destination', folder, ...flags], root)) as unknown;
  const files = Object.values(packed as Record<string, { filename: string }>).map(({ filename }) => `./${filename}`);
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  npm(['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error', ...files], folder);
}

/** Bytes of every package's files, by its name. */
function sizesOf(modules: string): Record<string, number> {
  const sizes: Record<string, number> = {};
  for (const file of readdirSync(modules, { recursive: true, encoding: 'utf8' })) {
    const stat = statSync(path.join(modules, file));
    if (!stat.isFile()) continue;
    const [first, second] = file.split(path.sep);
    const name = first!.startsWith('@') ? `${first}/${second}` : first!;
    sizes[name] = (sizes[name] ?? 0) + stat.size;
  }
  return sizes;
}

/** Bytes of what a page loads, gzipped file by file. */
async function bundleOf(entryPoints: string[]): Promise<number> {
  const { outputFiles } = await build({
    entryPoints,
    absWorkingDir: folder,
    bundle: true,
    splitting: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    external: ['onnxruntime-web/*'],
    outdir: path.join(folder, 'bundle'),
    logLevel: 'error',
  });
  return outputFiles.reduce((sum, { contents }) => sum + gzipSync(contents, { level: 9 }).byteLength, 0);
}
