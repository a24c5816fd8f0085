/** A guard's folder on this machine. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { readLimited } from '@harmaug/models/node';
import type { GuardSource } from '../load.ts';
import { openModel } from '../session.node.ts';
import type { OpenedModel } from '../session.ts';
import { mapTensors } from './mapped.node.ts';

export function folderSource(folder: string): GuardSource {
  const at = (file: string): string => path.join(folder, file);
  return {
    where: folder,
    read: async (file, maxBytes) => (existsSync(at(file)) ? readLimited(at(file), maxBytes) : null),
    has: async (file) => existsSync(at(file)),
    openModel: (file, { threads }) => openFile(at(file), threads),
  };
}

/** Its large tensors mapped where that works. */
async function openFile(file: string, threads: number | undefined): Promise<OpenedModel> {
  const mapped = mapTensors(file);
  const opened = mapped && (await openModel(file, mapped.bytes, threads, mapped.folder).catch(() => null));
  return opened ?? openModel(file, file, threads);
}
