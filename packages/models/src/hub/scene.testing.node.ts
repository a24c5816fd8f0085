/** What the hub's tests start from: a hub with a tiny model, an empty cache, a clock that does not wait. */
import { readdir, readlink } from 'node:fs/promises';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from '../../test/tokenizer-fixtures.node.ts';
import type { HubOptions, HubProgress } from './hub.ts';
import { LoopbackHub, type LoopbackRepo } from './loopback.testing.node.ts';

export const bytesOf = (text: string) => new TextEncoder().encode(text);

/** Bytes that differ along the way, so that a wrong place is a wrong hash. */
export function patterned(sizeBytes: number, seed = 1): Uint8Array {
  return Uint8Array.from({ length: sizeBytes }, (_, at) => Math.imul(at + seed, 2654435761) >>> 24);
}

export const modelFiles: ReadonlyMap<string, Uint8Array> = new Map([
  ['config.json', bytesOf('{"model_type":"bert"}')],
  ['model.safetensors', patterned(100_000)],
  ['tokenizer.json', bytesOf('{}')],
  ['vocab.txt', bytesOf('[PAD]\n')],
  ['chat_template.jinja', bytesOf('{{ x }}')],
  ['pytorch_model.bin', patterned(500)],
  ['README.md', bytesOf('# Tiny')],
  ['onnx/model.onnx', patterned(700)],
]);

export interface Scene {
  readonly hub: LoopbackHub;
  /** Of the tiny model's repository. */
  readonly repo: string;
  readonly cache: string;
  readonly options: HubOptions & { readonly env: Record<string, string> };
  /** Milliseconds that it wanted to sleep. */
  readonly waits: number[];
  readonly notices: string[];
  readonly progress: HubProgress[];
}

export const TINY = 'owner/tiny';

export async function openScene(
  files: ReadonlyMap<string, Uint8Array> = modelFiles,
  repo: Omit<LoopbackRepo, 'id' | 'files'> = {},
): Promise<Scene> {
  const hub = await LoopbackHub.start({ id: TINY, files, ...repo });
  onTestFinished(() => hub.stop());
  const home = await temporaryFolder();
  const cache = path.join(home, 'hub');
  const [waits, notices, progress]: [number[], string[], HubProgress[]] = [[], [], []];
  const options = {
    env: { HF_ENDPOINT: hub.endpoint, HF_HOME: home },
    clock: { now: () => Date.now(), sleep: async (ms: number) => void waits.push(ms) },
    onNotice: (line: string) => void notices.push(line),
    onProgress: (at: HubProgress) => void progress.push(at),
  };
  return { hub, repo: path.join(cache, 'models--owner--tiny'), cache, options, waits, notices, progress };
}

/** Every file of a folder, links with where they lead. */
export async function tree(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory());
  const lines = files.map(async (entry) => {
    const at = path.join(entry.parentPath, entry.name);
    const name = path.relative(folder, at);
    return entry.isSymbolicLink() ? `${name} -> ${await readlink(at)}` : name;
  });
  return (await Promise.all(lines)).sort();
}
