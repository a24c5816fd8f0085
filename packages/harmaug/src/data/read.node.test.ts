import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { ConfigError, FormatError } from 'onnx-grad';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ReadOptions, readRows } from './read.node.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'harmaug-data-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function read(name: string, contents: string | Uint8Array, options?: ReadOptions) {
  const file = path.join(folder, name);
  await writeFile(file, contents);
  return readRows([file], options);
}

const SECRET = 'a text that no message may quote';

describe('reading rows', () => {
  const expected = [
    { id: 'a', prompt: 'You again?', label: 1, softLabel: 0.8, source: 'mild' },
    { id: 'b', prompt: 'Good "morning",\nneighbour', response: 'Hello', label: 0, category: 'none' },
  ];
  const records = expected.map(({ softLabel, ...row }) => ({
    ...row,
    ...(softLabel ? { soft_label: softLabel } : {}),
  }));

  it.each([
    ['rows.jsonl', records.map((row) => `${JSON.stringify(row)}\n`).join('\n')],
    ['windows.jsonl', records.map((row) => JSON.stringify(row)).join('\r\n')],
    ['rows.json', JSON.stringify(records)],
  ])('of %s', async (name, contents) => {
    expect((await read(name, contents)).rows).toEqual(expected);
    expect((await read(`${name}.gz`, gzipSync(contents))).rows).toEqual(expected);
  });

  it('of CSV, by a map of columns with words for labels', async () => {
    const csv = '\ufeffkey,question,verdict\r\n1,"You ""again""?",unsafe\r\n2,Tea?,safe\r\n';
    const format = { id: 'key', prompt: 'question', label: 'verdict' };
    expect((await read('rows.csv', csv, { format })).rows).toEqual([
      { id: '1', prompt: 'You "again"?', label: 1 },
      { id: '2', prompt: 'Tea?', label: 0 },
    ]);
  });

  it('of Parquet', async () => {
    const columnData = [
      { name: 'prompt', data: ['You again?', 'Tea?'], type: 'STRING' as const },
      { name: 'label', data: [1, 0], type: 'INT32' as const },
      { name: 'soft_label', data: [0.75, 0.25], type: 'DOUBLE' as const },
    ];
    const { rows } = await read('rows.parquet', new Uint8Array(parquetWriteBuffer({ columnData })));
    expect(rows).toEqual([
      { id: 'rows.parquet:1', prompt: 'You again?', label: 1, softLabel: 0.75 },
      { id: 'rows.parquet:2', prompt: 'Tea?', label: 0, softLabel: 0.25 },
    ]);
  });

  it('of public sets by name, counting what is left out', async () => {
    const lines = [
      { prompt: 'One', response: 'a', prompt_harm_label: 'harmful', response_harm_label: null, subcategory: 'x' },
      {
        prompt: 'Two',
        response: 'b',
        prompt_harm_label: 'unharmful',
        response_harm_label: 'unharmful',
        subcategory: 'y',
      },
    ];
    const text = lines.map((line) => JSON.stringify(line)).join('\n');
    const prompts = await read('wild.jsonl', text, { format: 'wildguardmix-prompt' });
    expect(prompts.rows.map(({ label }) => label)).toEqual([1, 0]);
    const responses = await read('wild.jsonl', text, { format: 'wildguardmix-response' });
    expect(responses.rows).toMatchObject([{ prompt: 'Two', response: 'b', label: 0 }]);
    expect([...responses.skipped]).toEqual([['no label', 1]]);
  });

  it('stops at the limit', async () => {
    expect((await read('rows.json', JSON.stringify(records), { limit: 1 })).rows).toHaveLength(1);
  });
});

describe('what is wrong with a file is said in one line that quotes no text', () => {
  const good = JSON.stringify({ prompt: SECRET, label: 1 });
  const cases: [string, string | Uint8Array, RegExp][] = [
    ['cut.jsonl', `${good}\n{"prompt": "${SECRET}`, /cut\.jsonl line 2 is not JSON\.$/],
    ['list.jsonl', `[1]\n`, /list\.jsonl line 1: expected an object with prompt/],
    [
      'empty.jsonl',
      JSON.stringify({ prompt: '  ', label: 1 }),
      /"prompt": expected a text that is not empty, got a text of 2/,
    ],
    ['label.jsonl', JSON.stringify({ prompt: SECRET, label: 2 }), /line 1: "label": expected 0 or 1, got 2\.$/],
    [
      'soft.jsonl',
      JSON.stringify({ prompt: SECRET, soft_label: 1.5 }),
      /"soft_label": expected a probability from 0 to 1, got 1\.5/,
    ],
    [
      'columns.jsonl',
      JSON.stringify({ text: SECRET }),
      /"prompt".*got nothing\. The format has the columns prompt.*there are text\.$/,
    ],
    ['broken.json', `[{"prompt": "${SECRET}`, /broken\.json cannot be read/],
    ['object.json', '{}', /expected a list of objects/],
    [
      'bytes.jsonl',
      Buffer.concat([Buffer.from(`${good}\n`), Uint8Array.of(0x7b, 0xff, 0xfe)]),
      /bytes\.jsonl line 2 is not UTF-8\.$/,
    ],
    [
      'bytes.csv',
      Buffer.concat([Buffer.from('prompt,label\n'), Uint8Array.of(0xff, 0x0a)]),
      /bytes\.csv line 2 is not UTF-8\.$/,
    ],
    ['broken.parquet', 'PAR1 and nothing else', /broken\.parquet cannot be read/],
    ['broken.jsonl.gz', 'not zipped', /cannot be read.*Z_DATA_ERROR/],
    ['quotes.csv', `prompt,label\n"${SECRET},1\n`, /quotes\.csv cannot be read.*CSV_QUOTE_NOT_CLOSED/],
    ['text.txt', SECRET, /ending\. Expected \.jsonl, \.json, \.csv, \.parquet/],
  ];
  it.each(cases)('%s', async (name, contents, message) => {
    const error: Error = await read(name, contents).then(
      () => expect.unreachable(),
      (error) => error,
    );
    expect(error.message).toMatch(message);
    expect(error).toSatisfy((e) => e instanceof FormatError || e instanceof ConfigError);
    expect(error.message.split('\n')).toHaveLength(1);
    expect(`${error.stack}${error.cause}`).not.toContain(SECRET);
  });

  it('and so are a missing file and an unknown format', async () => {
    await expect(readRows([path.join(folder, 'none.jsonl')])).rejects.toThrow(/none\.jsonl does not exist\./);
    await expect(readRows([path.join(folder, 'none.parquet')])).rejects.toThrow(/none\.parquet does not exist\./);
    await expect(readRows([], { format: 'toxichat' as never })).rejects.toThrow(
      /Unknown data format "toxichat"\. Available: harmaug/,
    );
  });

  it('whatever the bytes are', async () => {
    const ending = fc.constantFrom('.jsonl', '.json', '.csv', '.parquet', '.jsonl.gz');
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.json().map((text) => new TextEncoder().encode(text)),
    );
    const property = fc.asyncProperty(ending, bytes, async (end, contents) => {
      const outcome = await read(`fuzz${end}`, contents).catch((error) => error);
      if ('rows' in outcome) return;
      expect(outcome).toSatisfy((e) => e instanceof FormatError || e instanceof ConfigError);
    });
    await fc.assert(property, { numRuns: 150 });
  });
});
