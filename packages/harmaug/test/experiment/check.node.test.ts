/** `harmaug doctor --offline` and `harmaug init`: recipes that are right, and what is said of those that are not. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { openAsker } from '../../src/cli/ask.node.ts';
import { answersOf, writeRecipe } from '../../src/cli/init.node.ts';
import { harmaug } from '../harmaug.node.ts';

const root = path.join(import.meta.dirname, '../../../..');
let folder: string;
const at = (...names: string[]) => path.join(folder, ...names);
const row = (prompt: string, label: number) => `${JSON.stringify({ prompt, label })}\n`;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'harmaug-check-'));
  writeFileSync(at('seeds.jsonl'), row('Tell my sister a rude joke.', 1) + row('How do I bake bread?', 0));
  writeFileSync(at('test.jsonl'), row('How do I skip choir?', 1));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function doctor(sections: object): Promise<{ exitCode: number; findings: string[] }> {
  writeFileSync(at('recipe.yaml'), stringify(sections));
  const { exitCode, stdout } = await harmaug('doctor', at('recipe.yaml'), '--offline');
  return { exitCode, findings: stdout.split('\n').filter((line) => /^(WRONG|note) /.test(line)) };
}

const base = () => ({
  models: {
    writer: { provider: 'scripted', text: 'x' } as object,
    guard: { provider: 'scripted', probabilities: { safe: 0.9, unsafe: 0.1 } } as object,
  },
  teachers: { main: { family: 'llama-guard-3-8b', model: 'guard' } as object },
  seed: { files: ['seeds.jsonl'] },
  generate: { model: 'writer', exemplars: 1 } as Record<string, unknown>,
  respond: { compliant: { model: 'writer' } },
  label: { teacher: 'main' },
  sweep: { student: 'microsoft/deberta-v3-xsmall', evaluate: ['xstest', 'test.jsonl'] } as Record<string, unknown>,
});

type Base = ReturnType<typeof base> & Record<string, unknown>;

describe('harmaug doctor --offline', () => {
  test('finds nothing in a recipe that is right', async () => {
    expect(await doctor(base())).toEqual({ exitCode: 0, findings: [] });
  });

  test.each([
    [
      'unknown keys of every section, all at once',
      (r) => Object.assign(r, { generate: { modell: 'writer' }, cost: { second: 1 }, adapt: { epoch: 2 } }),
      [/generate: .*"modell"\. Did you mean "model"/, /cost: .*"second"\. Did you mean "seconds"/, /adapt: .*"epoch"/],
    ],
    [
      'models and files that are not there',
      (r) => Object.assign(r, { seed: { files: ['none.jsonl'] }, label: { teacher: 'mian' } }),
      [
        /label\.teacher: Unknown teacher "mian"\. Did you mean "main"/,
        /seed\.files: none\.jsonl does not exist\. Put labelled rows/,
      ],
    ],
    [
      'prompts that nothing fills in',
      (r) => (r.generate.prompts = ['Write about {catgory}.']),
      [/generate\.prompts\[0\]: Nothing fills in \{catgory\}\. Write \{category\}/],
    ],
    [
      'examples that no row is',
      (r) => Object.assign(r, { benign: { exemplars: 1 }, seed: { files: ['test.jsonl'] } }),
      [/benign\.exemplars: are drawn|benign\.exemplars are drawn from safe rows/],
    ],
    [
      'a template that drops what is said',
      (r) => {
        writeFileSync(at('broken.jinja'), '{{ bos_token }}nothing');
        r.models.writer = {
          provider: 'openai',
          dialect: 'vllm',
          api: 'completions',
          model: 'm',
          endpoints: ['http://localhost:1/v1'],
          template: 'broken.jinja',
        };
      },
      [/generate: The chat template drops or changes message 1 of 1 \(user\)/],
    ],
    [
      'a teacher whose policy has no place',
      (r) => {
        writeFileSync(at('plain.jinja'), '{% for message in messages %}{{ message.content }}{% endfor %}');
        r.models.guard = {
          provider: 'openai',
          dialect: 'vllm',
          api: 'completions',
          model: 'm',
          endpoints: ['http://localhost:1/v1'],
          template: 'plain.jinja',
        };
        r.teachers.main = { family: 'llama-guard-3-8b', model: 'guard', policy: 'S1: Pranks.' };
      },
      [/teachers\.main: The template has no "<BEGIN UNSAFE CONTENT CATEGORIES>"/],
    ],
    [
      'a sweep’s axes, sets and files',
      (r) => Object.assign(r.sweep, { evaluate: ['xtest'], settings: { a: { synthetic: 'none.jsonl' } } }),
      [
        /sweep\.evaluate: Unknown benchmark "xtest"\. Did you mean "xstest"/,
        /none\.jsonl does not exist\. Make it first/,
      ],
    ],
    [
      'settings that are out of range',
      (r) => Object.assign(r, { distill: { lambda: 2 } }),
      [/lambda: expected a number from 0 to 1, got 2/],
    ],
  ] as [string, (recipe: Base) => unknown, RegExp[]][])('finds %s', async (_, change, messages) => {
    const recipe = base() as Base;
    change(recipe);
    const { exitCode, findings } = await doctor(recipe);
    expect(exitCode).toBe(1);
    for (const message of messages)
      expect(
        findings.some((line) => message.test(line)),
        `${message}\n${findings.join('\n')}`,
      ).toBe(true);
  });

  test('says that a key is missing here, which is no fault of the recipe', async () => {
    const recipe = base();
    recipe.models.writer = { provider: 'openai', dialect: 'deepseek', model: 'm' };
    const { exitCode, findings } = await doctor(recipe);
    expect([exitCode, findings]).toEqual([0, [expect.stringMatching(/^note {2}models\.writer: No API key/)]]);
  });

  test('finds the recipes of the repository right, but for data that its owner puts there', async () => {
    const recipes = ['augment', 'laptop', 'paper', 'ablations'];
    mkdirSync(at('recipes'));
    for (const name of [...recipes, 'augment-seeds']) {
      const file = `${name}${name.endsWith('seeds') ? '.jsonl' : '.yaml'}`;
      cpSync(path.join(root, 'recipes', file), at('recipes', file));
    }
    const owned = ['samples/seed.jsonl', 'data/wildguard_train.parquet', 'seeds.parquet'];
    for (const run of ['prefix', 'no-prefix']) owned.push(`runs/${run}/dataset/data.parquet`);
    const missing = async (name: string) => {
      const { stdout } = await harmaug('doctor', at('recipes', `${name}.yaml`), '--offline', '--json');
      return (JSON.parse(stdout).findings as { wrong: boolean; problem: string }[]).filter(({ wrong }) => wrong);
    };
    for (const name of recipes) {
      for (const { problem } of await missing(name)) {
        expect(
          owned.some((file) => problem === `../${file} does not exist.`),
          `${name}: ${problem}`,
        ).toBe(true);
      }
    }
    for (const file of owned.filter((one) => !one.includes('wildguard'))) {
      mkdirSync(path.dirname(at(file)), { recursive: true });
      writeFileSync(at(file), row('Tell my sister a rude joke.', 1) + row('How do I bake bread?', 0));
    }
    for (const name of ['augment', 'laptop', 'ablations']) expect(await missing(name), name).toEqual([]);
  });

  test('finds that the quickstart has all it needs in the repository', async () => {
    const { exitCode, stdout } = await harmaug('doctor', path.join(root, 'recipes/quickstart.yaml'), '--offline');
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/quickstart\.yaml is right/)]);
    const planned = await harmaug('quickstart', '--plan', '--out', at('quickstart'));
    expect(planned.stdout).toMatch(/^generate +to make .*\n(.*\n)*report +to make/m);
  });
});

describe('harmaug init', () => {
  test('writes a recipe from flags that doctor finds right, and never over a file', async () => {
    const flags = [
      '--yes',
      '--seed-data',
      at('seeds.jsonl'),
      '--category',
      'Self-praise=claims: "better" than others',
      'Spam=ads',
    ];
    const { exitCode, stdout, stderr } = await harmaug('init', at('made/guard.yaml'), ...flags);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).not.toMatch(/Still to do/);
    const checked = await harmaug('doctor', at('made/guard.yaml'), '--offline');
    expect([checked.exitCode, checked.stdout]).toEqual([0, expect.stringMatching(/guard\.yaml is right/)]);
    const before = readFileSync(at('made/guard.yaml'), 'utf8');
    expect(before).toMatch(/- \{ name: "Self-praise", description: "claims: \\"better\\" than others" \}/);
    const again = await harmaug('init', at('made/guard.yaml'), ...flags);
    expect([again.exitCode, again.stderr]).toEqual([1, expect.stringMatching(/guard\.yaml is there already/)]);
    expect(readFileSync(at('made/guard.yaml'), 'utf8')).toBe(before);
  });

  test('asks, says what is wrong with an answer, and writes what was answered', async () => {
    const input = new PassThrough();
    const output = new PassThrough();
    input.end(
      [
        ...['2', 'http://gpu:8000/v1', 'vlm', 'vllm', 'google/gemma-2-2b-it'], // the writer
        ...['wildgard', 'wildguard', '1', 'hf:owner/repository/wildguard.gguf'], // the teacher
        ...['own', 'Pranks', 'jokes at the cost of others', ''], // the policy
        ...['', 'xtest', `${at('test.jsonl')}, xstest`, at('seeds.jsonl'), ''],
      ].join('\n'),
    );
    const asker = openAsker(input, output);
    const answers = await answersOf({}, asker);
    asker.close();
    expect(answers).toEqual({
      writer: { kind: 'server', endpoint: 'http://gpu:8000/v1', dialect: 'vllm', model: 'google/gemma-2-2b-it' },
      teacher: { family: 'wildguard', place: { kind: 'gguf', model: 'hf:owner/repository/wildguard.gguf' } },
      categories: [{ name: 'Pranks', description: 'jokes at the cost of others' }],
      student: 'microsoft/deberta-v3-xsmall',
      evaluate: [at('test.jsonl'), 'xstest'],
      seed: at('seeds.jsonl'),
    });
    const said = String(output.read());
    expect(said).toMatch(/Unknown dialect "vlm"\. Did you mean "vllm"\?/);
    expect(said).toMatch(/Unknown family "wildgard"\. Did you mean "wildguard"\?/);
    expect(said).toMatch(/Did you mean "xstest"\?/);
    const { json } = await writeRecipe(at('asked.yaml'), answers, {});
    expect(json.findings).toEqual([]);
  });

  test('says what is still to do, and that there is nobody to ask', async () => {
    const { exitCode, stdout } = await harmaug('init', at('bare.yaml'), '--yes', '--seed-data', at('none.jsonl'));
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/Still to do:\n {2}seed\.files: \S*none\.jsonl does not exist\. Put labelled rows/);
    const wrong = await harmaug('init', at('other.yaml'), '--yes', '--evaluate', 'xtest');
    expect([wrong.exitCode, wrong.stderr]).toEqual([2, expect.stringMatching(/Did you mean "xstest"/)]);
    const closed = openAsker(new PassThrough().end(), new PassThrough());
    await expect(answersOf({}, closed)).rejects.toThrow(/There was no answer\. Nothing was written/);
  });
});
