import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { commonFlags, parseFlags } from '../packages/harmaug/src/cli/flags.node.ts';
import { commands } from '../packages/harmaug/src/cli/main.node.ts';
import { type DocumentedCommand, documentedCommands } from './documented-commands.ts';

const root = path.resolve(import.meta.dirname, '..');
const guides = globSync(
  ['*.md', 'docs/*.md', '{packages,apps,examples}/*/README.md', '{bench,models,samples}/**/README.md'],
  {
    cwd: root,
    exclude: ['**/node_modules/**', 'bench/peers/.venv*/**'],
  },
).sort();
const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

/** @throws Error where a command is none of ours, or takes no such flag */
async function expectRight({ words, isWhole }: DocumentedCommand): Promise<void> {
  const [first, ...rest] = words[0] === 'npx' ? words.slice(1) : words;
  if (first === 'npm') {
    if (rest[0] === 'run') expect(Object.keys(scripts)).toContain(rest[1]);
  } else if (first === 'harmaug') {
    await expectHarmaug(rest, isWhole);
  } else {
    const file = rest.find((word) => !word.startsWith('-') && word !== 'run');
    if (file?.includes('/')) expect(existsSync(path.join(root, file)), `${file} exists`).toBe(true);
  }
}

async function expectHarmaug([name, ...argv]: readonly string[], isWhole: boolean): Promise<void> {
  const entry = commands[name!];
  if (!entry) throw new Error(`there is no command "${name}"`);
  const { flags, positional } = await entry.load();
  const given = argv.filter((word) => word !== '…');
  parseFlags({ ...flags, ...commonFlags }, isWhole ? given : [...given, '--help'], positional);
}

describe('every command in', () => {
  it.each(guides)('%s is one that there is, with flags that it takes', async (guide) => {
    for (const command of documentedCommands(readFileSync(path.join(root, guide), 'utf8'))) {
      await expectRight(command).catch((error: Error) => {
        throw new Error(`${guide}:${command.line}: ${command.words.join(' ')}: ${error.message}`);
      });
    }
  });
});

describe('documentedCommands', () => {
  it('finds them in blocks and between backquotes, with loops, remarks and long lines', () => {
    const text = [
      'Run `harmaug check guard --json` or `other`.',
      '```',
      'npm ci && npm run example    a remark --wrong',
      'for stage in generate label; do npx harmaug $stage r.yaml --out "my run"; done',
      'harmaug evaluate --guard one \\',
      '  --data two > file.json',
      '{ "harmaug": 1 }',
      '```',
    ].join('\n');
    expect(documentedCommands(text).map(({ line, words }) => [line, words.join('|')])).toEqual([
      [1, 'harmaug|check|guard|--json'],
      [3, 'npm|ci'],
      [3, 'npm|run|example'],
      [4, 'npx|harmaug|generate|r.yaml|--out|my run'],
      [4, 'npx|harmaug|label|r.yaml|--out|my run'],
      [5, 'harmaug|evaluate|--guard|one|--data|two'],
    ]);
  });
});
