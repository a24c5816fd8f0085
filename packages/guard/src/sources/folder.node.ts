/** A guard's folder on this machine. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { readLimited } from '@harmaug/models/node';
import type { GuardSource } from '../load.ts';
import { openModel } from '../session.node.ts';

export function folderSource(folder: string): GuardSource {
  const at = (file: string): string => path.join(folder, file);
  return {
    where: folder,
    read: async (file, maxBytes) => (existsSync(at(file)) ? readLimited(at(file), maxBytes) : null),
    has: async (file) => existsSync(at(file)),
    openModel: (file, { threads }) => openModel(at(file), at(file), threads),
  };
}
