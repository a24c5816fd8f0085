/**
 * The miniature models of the quickstart, made from samples/pool on our own engine:
 *
 *   npm run miniatures                          all four into models/miniature
 *   npm run miniatures -- --only teacher        one of them; the responder goes on from teacher.gguf
 *   npm run miniatures -- --check               built again elsewhere and compared with those that are there
 */
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ConfigError } from 'onnx-grad';
import { Reporter } from '../../packages/harmaug/src/cli/reporter.ts';
import { type BuildName, buildMiniatures, buildNames } from './build.node.ts';
import { compareBuilds, TOLERANCE } from './compare.node.ts';

const root = path.resolve(import.meta.dirname, '../..');
const kept = path.join(root, 'models/miniature');
const work = path.join(root, '.cache/miniatures');
const { values } = parseArgs({
  options: {
    out: { type: 'string', default: kept },
    only: { type: 'string' },
    threads: { type: 'string' },
    check: { type: 'boolean', default: false },
  },
});
const names = readNames(values.only);
const common = {
  names,
  threads: values.threads === undefined ? undefined : Number(values.threads),
  reporter: new Reporter(process.stderr),
};

if (values.check) await check();
else {
  for (const folder of [values.out, work]) await mkdir(folder, { recursive: true });
  await buildMiniatures({ out: values.out, work, ...common });
}

async function check(): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'harmaug-miniatures-'));
  try {
    if (!names.includes('teacher')) await cp(path.join(kept, 'teacher.gguf'), path.join(folder, 'teacher.gguf'));
    await buildMiniatures({ out: folder, work: folder, ...common });
    const built = names.filter((name) => name !== 'reading');
    const results = await Promise.all(built.map((name) => compareBuilds(name, kept, folder)));
    for (const { name, difference } of results) {
      const what = difference === 0 ? 'the same bytes' : `weights differ by ${difference.toFixed(4)} of their size`;
      process.stdout.write(`${name}: ${what}\n`);
    }
    if (results.some(({ isSame }) => !isSame)) {
      process.stdout.write(`More than ${TOLERANCE}: these are not the models of this script and samples/pool.\n`);
      process.exitCode = 1;
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

function readNames(only: string | undefined): readonly BuildName[] {
  if (only === undefined) return buildNames;
  const asked = only.split(',');
  const unknown = asked.find((name) => !buildNames.includes(name as BuildName));
  if (unknown === undefined) return buildNames.filter((name) => asked.includes(name));
  throw new ConfigError(`--only ${unknown}: there is no such miniature. Expected ${buildNames.join(', ')}.`);
}
