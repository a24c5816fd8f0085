#!/usr/bin/env node
// The published package runs its build; a checkout runs the sources, in a Node that resolves every package to them.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('../src/cli/run.node.ts', import.meta.url));
if (existsSync(source)) {
  // without the last, worker threads that load TypeScript crash V8 now and then (docs/decisions.md)
  const flags = ['--conditions=source', '--disable-warning=ExperimentalWarning', '--no-wasm-generic-wrapper'];
  const child = spawn(process.execPath, [...flags, source, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => signal !== 'SIGINT' && child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGKILL' ? 137 : 1)));
} else {
  await import('../dist/cli/run.node.js');
}
