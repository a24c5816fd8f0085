/** What figures were made with. */
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { env } from 'onnxruntime-node';

/** Of this package, the runtime and Node; the processor, whose kernels round in their own way. */
export function versions(): Record<string, string> {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return {
    harmaug: String(version),
    onnxruntime: env.versions.node ?? 'unknown',
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
  };
}
