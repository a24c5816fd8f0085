/** `harmaug report` as a user runs it, on what the other commands wrote. */
import { cp, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../src/distill/tiny.testing.node.ts';
import { harmaug } from '../harmaug.node.ts';
import { HOSTILE, makeResults, type Results } from './results.node.ts';

let made: Results;
let page: string;

const report = async (name: string, ...argv: string[]) => {
  const ran = await harmaug('report', ...argv, '--out', made.at(`${name}.html`), '--json');
  return { ...ran, page: ran.exitCode === 0 ? await readFile(made.at(`${name}.html`), 'utf8') : '' };
};
const json = async (name: string) => JSON.parse(await readFile(made.at(`results/${name}.json`), 'utf8'));
/** What a reader sees of a part, without tags. */
const seen = (part: string) => part.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ');
const sectionOf = (whole: string, id: string) =>
  new RegExp(`<section id="${id}".*?</section>`, 's').exec(whole)?.[0] ?? '';

beforeAll(async () => {
  made = await makeResults(await temporaryFolder());
  const data = ['manners', 'gardens'].map((name) => made.at(`${name}.jsonl`));
  const all = await report('all', ...['results', 'guards', 'run'].map(made.at), '--data', ...data, '--title', HOSTILE);
  expect([all.exitCode, all.stderr]).toEqual([0, expect.any(String)]);
  expect(JSON.parse(all.stdout)).toMatchObject({
    sections: [
      'results',
      'curves',
      'scores',
      'reliability',
      'learning',
      'diversity',
      'data',
      'sweep',
      'adapt',
      'cost',
      'examples',
      'settings',
    ],
    results: {
      guards: 2,
      scores: 2,
      costs: 1,
      measures: 1,
      calibrations: 1,
      exports: 1,
      students: 2,
      runs: 1,
      sweeps: 1,
      adaptations: 1,
    },
    passedBy: [],
  });
  page = all.page;
}, 60_000);
afterAll(() => rm(made.folder, { recursive: true }));

describe('what the page says', () => {
  test('figures are those of the results, with their intervals', async () => {
    const { guards, summary } = await json('evaluation');
    const results = seen(sectionOf(page, 'results'));
    for (const { sets } of guards) {
      for (const { metrics } of sets) {
        for (const metric of ['auprc', 'f1', 'fpr']) {
          const { value, low, high } = metrics[metric];
          if (value !== null) expect(results).toContain(`${value.toFixed(3)} ${low.toFixed(3)}–${high.toFixed(3)}`);
        }
      }
    }
    const { mean, std } = summary[0].metrics.auprc;
    expect(results).toContain(`${mean.toFixed(3)} ± ${std.toFixed(3)}`);
    const calibration = await json('calibration');
    expect(seen(sectionOf(page, 'reliability'))).toContain(`0.100 ${calibration.threshold.toFixed(3)}`);
    const { sets, attack } = await json('measure');
    expect(seen(sectionOf(page, 'diversity'))).toContain(sets.synthetic.self_bleu.toFixed(3));
    expect(seen(sectionOf(page, 'diversity'))).toContain(`${(100 * attack.success).toFixed(1)}%`);
    expect(seen(sectionOf(page, 'cost'))).toMatch(/Llama-Guard-3-8B 8\.03B 7\.5B — —/);
  });

  test('what is not known is a dash: runs that are missing, sets of one class, what was not measured', () => {
    expect(seen(sectionOf(page, 'sweep'))).toMatch(/1 of 12 runs are missing/);
    expect(seen(sectionOf(page, 'sweep'))).toMatch(/4000 rows 0\.\d+ ± 0\.010 2 of 3 seeds/);
    expect(seen(sectionOf(page, 'adapt'))).toMatch(/manners under attack 100 30 0\.420 0\.660 — — — —/);
    expect(seen(sectionOf(page, 'adapt'))).toMatch(/under attack 2 0\.445 0\.680 \+0\.235/);
    expect(seen(sectionOf(page, 'cost'))).not.toMatch(/\b0 ms/);
  });

  test('counts of a run are those of its ledger', () => {
    const data = seen(sectionOf(page, 'data'));
    expect(data).toMatch(/instructions 240 192 80\.0%/);
    expect(data).toMatch(/the model refused 16/);
    expect(data).toMatch(/teacher tiny-guard 192/);
    expect(seen(sectionOf(page, 'settings'))).toMatch(/generate\.perCategory 120/);
  });

  test('curves come from the scores that belong to an evaluation, told by its figures', async () => {
    const curves = sectionOf(page, 'curves');
    expect(curves.match(/<figure>/g)).toHaveLength(4); // two sets of both classes, two kinds
    expect(sectionOf(page, 'scores').match(/<figure>/g)).toHaveLength(6); // two guards, three sets
    const lines = (await readFile(made.at('results/scores-1.jsonl'), 'utf8')).split('\n').filter(Boolean);
    await mkdir(made.at('other'));
    await cp(made.at('results/evaluation.json'), made.at('other/evaluation.json'));
    const changed = lines.map((line, at) => (at === 0 ? JSON.stringify({ ...JSON.parse(line), score: 0.999 }) : line));
    await writeFile(made.at('other/scores.jsonl'), changed.join('\n'));
    const { page: other } = await report('other', made.at('other'));
    expect(seen(sectionOf(other, 'scores'))).toMatch(/seed-1 on gardens.*scores\.jsonl on scores/); // the rest is a guard of its own
  });
});

describe('hostile names', () => {
  test('stay texts, wherever they stand', () => {
    expect(page).not.toMatch(/<img/);
    expect(page.match(/<script/g)).toHaveLength(1);
    expect(page.match(/<\/script/g)).toHaveLength(1);
    expect(page).toContain('&lt;/script&gt;&lt;img src=x');
    expect(page.replace(/aria-label="[^"]*"/g, '')).not.toMatch(/\son\w+\s*=\s*["']/);
  });
});

describe('texts of rows', () => {
  test('are nowhere in the source in clear, nor as base64', () => {
    expect(sectionOf(page, 'examples')).toMatch(/data-masked/);
    expect(made.texts.length).toBeGreaterThan(100);
    for (const text of made.texts) {
      expect(page.includes(text)).toBe(false);
      expect(page.includes(btoa(text).replace(/=+$/, '').slice(0, -1))).toBe(false);
    }
    expect(page).not.toContain('What a lovely idea');
  });

  test('without the data there are ids alone', async () => {
    const { page: bare } = await report('bare', made.at('results/evaluation.json'), made.at('results/scores-1.jsonl'));
    expect(seen(sectionOf(bare, 'examples'))).toMatch(/ids and scores alone.*row tiny-\d+/);
    expect(bare).not.toMatch(/data-masked="/);
    expect(bare).not.toContain('id="cost"'); // sections without results are left out
  });
});

describe('versions', () => {
  test('results of different versions, rows or hashes of one set never share a column', async () => {
    const evaluation = await json('evaluation');
    const [guard] = evaluation.guards;
    const variant = async (name: string, change: object) => {
      const sets = [{ ...guard.sets[0], set: 'xstest', version: 1, ...change }];
      await writeFile(made.at(`${name}.json`), JSON.stringify({ ...guard, guard: name, sets }));
      return made.at(`${name}.json`);
    };
    const places = [
      await variant('first', {}),
      await variant('second', {}),
      await variant('newer', { version: 2 }),
      await variant('fewer', { rows: 399 }),
      await variant('changed', { hash: 'ffffffff00000000' }),
    ];
    const { page: mixed } = await report('mixed', ...places);
    const results = sectionOf(mixed, 'results');
    const [table] = /<table><caption><span>AUPRC.*?<\/table>/s.exec(results)!;
    expect(table.match(/<th scope="col">/g)).toHaveLength(4); // one for each; the first two share theirs; no mean
    const rows = [...table.matchAll(/<tr><th scope="row".*?<\/tr>/gs)].map(([row]) =>
      seen(row).match(/—|\d\.\d{3} (?=\d)/g),
    );
    const value = `${guard.sets[0].metrics.auprc.value.toFixed(3)} `;
    expect(rows).toEqual([
      [value, '—', '—', '—'],
      [value, '—', '—', '—'],
      ['—', value, '—', '—'],
      ['—', '—', value, '—'],
      ['—', '—', '—', value],
    ]);
    expect(seen(results)).toContain('do not compare');
    expect(seen(table)).toContain('xstest (v2');
  });

  test('evaluating other rows under the same name gives another hash; the order of rows does not', async () => {
    const lines = (await readFile(made.at('gardens.jsonl'), 'utf8')).split('\n').filter(Boolean);
    const hashOf = async (name: string, content: readonly string[]) => {
      await mkdir(made.at(name));
      await writeFile(made.at(`${name}/gardens.jsonl`), content.join('\n'));
      const argv = [
        '--guard',
        made.at('guards/seed-1'),
        '--data',
        made.at(`${name}/gardens.jsonl`),
        '--resamples',
        '1',
        '--json',
      ];
      return JSON.parse((await harmaug('evaluate', ...argv)).stdout).sets[0].hash;
    };
    const same = (await json('evaluation')).guards[0].sets[1].hash;
    expect(same).toMatch(/^[0-9a-f]{16}$/);
    expect(await hashOf('reversed', lines.toReversed())).toBe(same);
    expect(
      await hashOf(
        'edited',
        lines.map((line, at) => (at === 3 ? line.replace('"prompt":"', '"prompt":"so ') : line)),
      ),
    ).not.toBe(same);
  });
});

describe('size', () => {
  test('a set of 100,000 rows stays under 3 MB', async () => {
    await mkdir(made.at('large'));
    const guards = [1, 2, 3];
    for (const guard of guards) {
      const lines = Array.from({ length: 100_000 }, (_, row) => {
        const label = row % 3 === 0 ? 1 : 0;
        const noise = (Math.sin(row * 12.9898 * guard) * 43_758.5453) % 1;
        return JSON.stringify({
          id: `row-${row}`,
          score: Math.min(1, Math.max(0, 0.5 + 0.2 * (label - 0.5) + 0.4 * noise)),
          label,
        });
      });
      await writeFile(made.at(`large/guard-${guard}.jsonl`), lines.join('\n'));
    }
    const measure = await json('measure');
    const points = Array.from({ length: 100_000 }, (_, row) => [
      Math.sin(row),
      Math.cos(3 * row),
      row % 30,
      row % 2 ? 'seed' : 'synthetic',
    ]);
    await writeFile(
      made.at('large/measure.json'),
      JSON.stringify({ ...measure, plane: { explained: [0.2, 0.1], points } }),
    );
    await mkdir(made.at('large/student'));
    await cp(made.at('guards/seed-1/distillation.json'), made.at('large/student/distillation.json'));
    const steps = Array.from({ length: 100_000 }, (_, step) =>
      JSON.stringify({
        kind: 'step',
        step,
        epoch: 0,
        loss: 1 / (1 + step / 1000) + 0.1 * Math.sin(step * 7.7),
        gradNorm: 1,
        learningRate: 1,
      }),
    );
    await writeFile(made.at('large/student/curve.jsonl'), steps.join('\n'));
    const { exitCode, stderr } = await report('large', made.at('large'));
    expect([exitCode, stderr]).toEqual([0, expect.any(String)]);
    expect((await stat(made.at('large.html'))).size).toBeLessThan(1_500_000);
  }, 60_000);
});

describe('what is broken or unknown is one clear error, and writes nothing', () => {
  const cases: readonly [name: string, content: unknown, message: RegExp][] = [
    ['no-json.json', '{', /no-json\.json is not JSON\.\n$/],
    ['unknown.json', { a: 1 }, /unknown\.json is no result that the report knows\. Expected what .*evaluate --json/],
    ['list.json', [1], /list\.json is no result/],
    [
      'half.json',
      { guard: 'g', sets: [{ set: 'a' }] },
      /half\.json: "sets\.0\.rows" is missing, expected number.*\(\d more\).*evaluate --json/,
    ],
    ['newer.json', { kind: 'sweep', version: 2, cells: [], summary: [] }, /newer\.json: .*version 1; a newer harmaug/],
    ['rows.jsonl', '{"prompt": "quokka", "label": 1}', /rows\.jsonl line 1: "id": expected a text/],
  ];
  test.each(cases)('%s', async (name, content, message) => {
    await writeFile(made.at(name), typeof content === 'string' ? content : JSON.stringify(content));
    const { exitCode, stdout, stderr } = await report('broken', made.at(name));
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(message);
    expect(
      stderr
        .trim()
        .split('\n')
        .filter((line) => line.startsWith('harmaug')),
    ).toHaveLength(1);
    expect(stderr).not.toContain('quokka');
    await expect(stat(made.at('broken.html'))).rejects.toThrow();
  });

  test('a place that is missing, a folder without results, a damaged student and ledger', async () => {
    expect((await report('broken', made.at('nowhere'))).stderr).toMatch(/nowhere does not exist/);
    await mkdir(made.at('empty'));
    await writeFile(made.at('empty/notes.json'), '{"note": 1}');
    expect((await report('broken', made.at('empty'))).stderr).toMatch(/empty holds nothing that the report knows/);
    await mkdir(made.at('damaged'));
    await cp(made.at('guards/seed-1/distillation.json'), made.at('damaged/distillation.json'));
    await writeFile(made.at('damaged/curve.jsonl'), '{"kind":"step","step":1,"loss":0.5}\n{"kind":"step"}\n');
    expect((await report('broken', made.at('damaged'))).stderr).toMatch(/curve\.jsonl line 2: expected a step/);
    await mkdir(made.at('torn'));
    await writeFile(made.at('torn/ledger.sqlite'), 'no database');
    expect((await report('broken', made.at('torn'))).stderr).toMatch(/torn.ledger\.sqlite/);
    expect((await harmaug('report')).exitCode).toBe(2);
  });

  test('in a folder, what is no result is passed by and said', async () => {
    await writeFile(made.at('results/notes.json'), '{"note": 1}');
    const { stderr, exitCode } = await report('notes', made.at('results'));
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/notes\.json is no result, and was passed by/);
    await rm(made.at('results/notes.json'));
  });
});
