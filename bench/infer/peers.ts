/** `peers/infer_peer.py` in its two environments and `peers/infer_peer.mjs` as sides of the benchmark. */
import path from 'node:path';
import { PeerProcess } from '../peers/process.ts';
import { findPython, hasNodePeer } from '../peers/venv.ts';
import type { Precision } from './cases.ts';
import type { Folders, InferPeer, InferSide, PeerForm, Scored } from './side.ts';

const folder = path.join(import.meta.dirname, '..', 'peers');

interface FormSpec {
  readonly name: string;
  /** What the peer calls it. */
  readonly variant: string;
  readonly precision: Precision;
  readonly isExtra?: boolean;
  readonly hasPipeline?: boolean;
}

interface Library {
  /** The command that starts it; `null` where it is not installed. */
  readonly command: () => readonly [string, ...string[]] | null;
  readonly forms: readonly FormSpec[];
  /** The folder it reads. */
  readonly folderOf: (folders: Folders) => string;
}

const python = (environment: 'torch' | 'optimum', library: string) => () => {
  const executable = findPython(environment);
  return executable === null ? null : ([executable, path.join(folder, 'infer_peer.py'), library] as const);
};

const libraries: Readonly<Record<'transformers' | 'optimum' | 'transformers.js', Library>> = {
  transformers: {
    command: python('torch', 'transformers'),
    folderOf: ({ ours }) => ours,
    forms: [
      { name: 'transformers', variant: 'fp32', precision: 'fp32' },
      { name: 'transformers int8', variant: 'int8', precision: 'int8' },
      { name: 'transformers bf16', variant: 'bf16', precision: 'fp32', isExtra: true },
    ],
  },
  optimum: {
    command: python('optimum', 'optimum'),
    folderOf: ({ optimum, ours }) => optimum ?? ours,
    forms: [
      { name: 'optimum', variant: 'fp32', precision: 'fp32' },
      { name: 'optimum int8', variant: 'int8', precision: 'int8' },
    ],
  },
  'transformers.js': {
    command: () => (hasNodePeer() ? [process.execPath, path.join(folder, 'infer_peer.mjs')] : null),
    folderOf: ({ optimum, ours }) => optimum ?? ours,
    forms: [
      { name: 'transformers.js', variant: 'fp32', precision: 'fp32', hasPipeline: true },
      { name: 'transformers.js q8', variant: 'q8', precision: 'int8' },
    ],
  },
};

export interface InferPeers {
  readonly all: readonly InferPeer[];
  /** MiniLM's weights, which come with the peers. */
  readonly minilm: string | null;
  /** Writes a folder's model as optimum exports it, in float32 and int8; `null` where optimum is not installed. */
  readonly exportWithOptimum: ((from: string, to: string) => Promise<void>) | null;
}

export async function startInferPeers(threads: number): Promise<InferPeers> {
  const all: InferPeer[] = [];
  let minilm: string | null = null;
  let exportWithOptimum: InferPeers['exportWithOptimum'] = null;
  for (const [name, library] of Object.entries(libraries)) {
    const command = library.command();
    if (command === null) continue;
    const peer = new PeerProcess(command[0], command.slice(1));
    const hello = await peer.ask<{ versions: Record<string, string>; minilm?: string | null }>({
      cmd: 'hello',
      threads,
    });
    minilm ??= hello.minilm ?? null;
    if (name === 'optimum') exportWithOptimum = (from, to) => peer.ask({ cmd: 'export', source: from, target: to });
    const forms = library.forms.map((form) => toForm(peer, form, library.folderOf));
    all.push({ versions: hello.versions, forms, end: () => peer.end() });
  }
  return { all, minilm, exportWithOptimum };
}

function toForm(peer: PeerProcess, spec: FormSpec, folderOf: Library['folderOf']): PeerForm {
  const { name, variant, precision, isExtra = false, hasPipeline = false } = spec;
  const pipeline = async (indices: readonly number[]) =>
    (await peer.ask<{ scores: number[] }>({ cmd: 'pipeline', variant, indices })).scores;
  const open = async (folders: Folders, texts: string): Promise<InferSide> => {
    await peer.ask({ cmd: 'open', variant, folder: folderOf(folders), texts });
    return {
      name,
      many: (indices, batch) => peer.ask<Scored>({ cmd: 'many', variant, indices, batch }),
      single: async (indices) => (await peer.ask<{ ms: number[] }>({ cmd: 'single', variant, indices })).ms,
      ...(hasPipeline ? { pipeline } : {}),
      dispose: () => peer.ask({ cmd: 'close', variant }),
    };
  };
  return { name, precision, isExtra, open };
}
