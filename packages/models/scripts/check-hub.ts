/**
 * One cache for Python's huggingface_hub and us, both ways, with a hub on this machine:
 *
 *     node --conditions=source packages/models/scripts/check-hub.ts <python>
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { COMMIT, LoopbackHub } from '../src/hub/loopback.testing.node.ts';
import { openModelFolder } from '../src/hub/open-folder.node.ts';

const [python] = process.argv.slice(2);
if (python === undefined) throw new Error('Give the Python that has huggingface_hub.');
const text = (value: string) => new TextEncoder().encode(value);
const files = new Map([
  ['config.json', text('{"model_type":"bert"}')],
  ['model.safetensors', new Uint8Array(200_000).map((_, at) => at % 251)],
  ['tokenizer.json', text('{"version":"1.0"}')],
  ['vocab.txt', text('[PAD]\n')],
  ['onnx/model.onnx', text('not asked for')],
]);
const REPO = 'owner/tiny';
const hub = await LoopbackHub.start({ id: REPO, files });
const folder = mkdtempSync(path.join(tmpdir(), 'harmaug-hub-'));

/** Runs the script and gives the last line it prints. */
function runPython(command: string, env: Record<string, string>): Promise<string> {
  const script = path.join(import.meta.dirname, 'check_hub.py');
  const child = spawn(python!, [script, command, REPO], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (data) => {
    output += data;
  });
  return new Promise((resolve, reject) => {
    child.on('close', (code) =>
      code === 0 ? resolve(output.trim().split('\n').at(-1)!) : reject(new Error(`${command} failed`)),
    );
  });
}

const envOf = (name: string) => ({
  HF_ENDPOINT: hub.endpoint,
  HF_HOME: path.join(folder, name),
  HF_HUB_DISABLE_XET: '1',
});
const offline = { HF_HUB_OFFLINE: '1' };
try {
  const ours = await openModelFolder(REPO, { env: envOf('ours') });
  const found = JSON.parse(await runPython('find', { ...envOf('ours'), ...offline }));
  const { version, ...rest } = found;
  assert.deepEqual(rest, {
    repo: REPO,
    commit: COMMIT,
    refs: ['main'],
    files: ['config.json', 'model.safetensors', 'tokenizer.json', 'vocab.txt'],
    warnings: [],
    incomplete: [],
    loaded: 200_000,
    snapshot: ours.folder,
  });
  console.log(`huggingface_hub ${version} finds what we fetched`);

  const theirs = await runPython('fetch', envOf('theirs'));
  hub.takeRequests();
  for (const [id, env] of [
    [REPO, { ...envOf('theirs'), ...offline }],
    [`${REPO}@${COMMIT}`, envOf('theirs')],
  ] as const) {
    const opened = await openModelFolder(id, { env });
    assert.deepEqual(opened, { folder: theirs, source: { id: REPO, commit: COMMIT } });
  }
  assert.deepEqual(hub.takeRequests(), []);
  console.log('we find what it fetched, without a request');

  const names = (name: string) => readdirSync(path.join(folder, name, 'hub', 'models--owner--tiny', 'blobs')).sort();
  assert.deepEqual(names('ours'), names('theirs'));
  console.log('the blobs have the same names');
} finally {
  await hub.stop();
  rmSync(folder, { recursive: true });
}
