/** Which folder may import which: every list goes from the lowest layer up, and imports point down. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** A folder or file (without endings) of the root; several that know each other share a layer. */
type Layer = string | readonly string[];

export const layers: Readonly<Record<string, readonly Layer[]>> = {
  packages: ['onnx-grad', 'models', 'guard', 'harmaug'],
  'packages/onnx-grad/src': ['errors', 'onnx', ['graph', 'inference'], 'kernels', 'session', 'train', 'index'],
  'packages/models/src': [
    'files',
    'hub',
    'tokenizers',
    ['activations', 'categories', 'config', 'scope', 'initialize', 'unsafe-label'],
    ['layers', 'backbone', 'rotary'],
    ['encoders', 'decoders'],
    ['backbones', 'model-config'],
    'model',
    ['training', 'inference', 'data', 'flops'],
    ['checkpoint', 'gguf', 'load'],
    'open-tokenizer',
    'index',
  ],
  'packages/guard/src': [
    ['windows', 'settings', 'normalise', 'views'],
    'scoring',
    ['guard', 'stream'],
    'session',
    ['load', 'sources'],
    'worker',
    'index',
  ],
  'packages/harmaug/src': [
    ['errors', 'text', 'versions', 'lock'],
    ['data', 'recipe', 'templates'],
    ['ledger', 'dedup'],
    'scoring',
    'providers',
    'teachers',
    'evaluate',
    ['distill', 'export', 'stages', 'calibrate', 'transforms', 'eda', 'cost', 'reward', 'serve'],
    ['sweep', 'adapt'],
    'measures',
    'report',
    'experiment',
    'playground',
    'cli',
    'index',
  ],
};

/** Names by which packages import each other. */
const packageNames: Readonly<Record<string, string>> = {
  'onnx-grad': 'packages/onnx-grad',
  '@harmaug/models': 'packages/models',
  '@harmaug/guard': 'packages/guard',
  harmaug: 'packages/harmaug',
};

/** Code for Node alone, and tests, which run there. */
const FOR_NODE = /\.(node|test|testing)\.ts$|\.node\.test\.ts$|\.testing\.node\.ts$/;
const NODE_ONLY = /^node:|^onnxruntime-node$|\.node\.ts$|\/node$/;

/** Code for browsers alone. */
const FOR_WEB = /\.web\.ts$/;
const WEB_ONLY = /^onnxruntime-web(\/|$)|\.web\.ts$|\/web$/;

export interface SourceFile {
  /** From the repository's root, with slashes. */
  readonly path: string;
  readonly text: string;
}

/** The specifiers of a module's imports, as our formatter writes them. */
export function importsOf(text: string): string[] {
  const statements = text.matchAll(
    /^(?:import|export)\b[^'";]*?\bfrom '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm,
  );
  return [...statements].map((match) => (match[1] ?? match[2] ?? match[3])!);
}

/** What breaks a rule, one line each. */
export function violations(files: readonly SourceFile[], table = layers): string[] {
  return files.flatMap(({ path: from, text }) =>
    importsOf(text).flatMap((specifier) => {
      const problems = [
        ...(NODE_ONLY.test(specifier) && !FOR_NODE.test(from) ? ['which only Node has'] : []),
        ...(WEB_ONLY.test(specifier) && !FOR_WEB.test(from) ? ['which only browsers have'] : []),
      ];
      const to = resolve(from, specifier);
      if (to !== null && !/\.test\.ts$/.test(from)) {
        for (const [root, order] of Object.entries(table)) {
          const [above, below] = [heightOf(from, root, order), heightOf(to, root, order)];
          if (above !== null && below !== null && below > above) problems.push(`which lies above it in ${root}`);
        }
      }
      return problems.map((problem) => `${from} imports ${specifier}, ${problem}.`);
    }),
  );
}

/** The path an import means, or `null` outside the repository. */
function resolve(from: string, specifier: string): string | null {
  if (specifier.startsWith('.')) return path.posix.join(path.posix.dirname(from), specifier);
  const name = Object.keys(packageNames).find((known) => specifier === known || specifier.startsWith(`${known}/`));
  return name === undefined ? null : packageNames[name]!;
}

/** The layer's place, `null` for a path outside the root. @throws Error for a folder that the table lacks */
function heightOf(file: string, root: string, order: readonly Layer[]): number | null {
  if (!file.startsWith(`${root}/`)) return null;
  const name = file
    .slice(root.length + 1)
    .split('/')[0]!
    .split('.')[0]!;
  const height = order.findIndex((layer) => (typeof layer === 'string' ? layer === name : layer.includes(name)));
  if (height < 0 && !/\.(test|testing)\./.test(file))
    throw new Error(`${file}: "${name}" is in no layer of ${root}; add it to scripts/layers.ts.`);
  return height < 0 ? null : height;
}

/** Our own sources: TypeScript of the packages, generated code and fixtures left out. */
export function readSources(root: string): SourceFile[] {
  return readdirSync(path.join(root, 'packages'), { recursive: true, encoding: 'utf8' })
    .map((file) => path.posix.join('packages', file.replaceAll(path.sep, '/')))
    .filter((file) => /^packages\/[^/]+\/src\/.*\.ts$/.test(file) && !/\/(generated|fixtures|assembly)\//.test(file))
    .map((file) => ({ path: file, text: readFileSync(path.join(root, file), 'utf8') }));
}
