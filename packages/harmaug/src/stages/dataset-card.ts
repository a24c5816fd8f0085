/** README.md of a data set, as Hugging Face reads it: what it is, how it was made, what it may be used for. */
import { datasetColumns } from './dataset-columns.ts';
import { reasons } from './reasons.ts';

type Counts = Readonly<Record<string, number>>;

export interface CardCounts {
  readonly rows: number;
  readonly labelled: number;
  /** Over 0.5. */
  readonly unsafe: number;
  readonly kinds: Counts;
  readonly responseKinds: Counts;
  readonly categories: Counts;
  readonly generators: Counts;
  readonly responders: Counts;
  readonly teachers: Counts;
}

export interface CardFacts {
  /** Section "dataset" of the recipe. */
  readonly settings: {
    readonly name: string;
    readonly license: string;
    readonly language?: readonly string[] | undefined;
    /** Licence or terms by model. */
    readonly models: Readonly<Record<string, string>>;
    readonly notes?: string | undefined;
  };
  readonly counts: CardCounts;
  /** Rows without a label, left out. */
  readonly leftOut: number;
  /** States and reasons of all rows, those that are not in the set included. */
  readonly rejected: { readonly instructions: Counts; readonly responses: Counts };
  /** How writers' turns for harmful instructions began; `null`: by themselves, or there were none. */
  readonly prefix: string | null;
  readonly files: readonly string[];
}

const sizes: readonly (readonly [below: number, category: string])[] = [
  [1e3, 'n<1K'],
  [1e4, '1K<n<10K'],
  [1e5, '10K<n<100K'],
  [1e6, '100K<n<1M'],
  [1e7, '1M<n<10M'],
  [Number.POSITIVE_INFINITY, '10M<n<100M'],
];

export function datasetCard({ settings, counts, leftOut, rejected, prefix, files }: CardFacts): string {
  const { name, license, language, models, notes } = settings;
  const file = files.find((one) => one.endsWith('.parquet')) ?? files[0]!;
  const head = [
    '---',
    `pretty_name: ${JSON.stringify(name)}`,
    `license: ${license}`,
    ...(language ? ['language:', ...language.map((code) => `- ${code}`)] : []),
    'task_categories:',
    '- text-classification',
    'size_categories:',
    `- ${sizes.find(([below]) => counts.rows < below)![1]}`,
    'tags:',
    '- safety',
    '- guard',
    '- synthetic',
    '- harmaug',
    'configs:',
    '- config_name: default',
    `  data_files: ${file}`,
    '---',
  ];
  const notKept = Object.entries(rejected.instructions).filter(([state]) => state in reasons);
  const share =
    counts.labelled === 0 ? '' : `, ${((100 * counts.unsafe) / counts.labelled).toFixed(1)}% of them over 0.5`;
  const made = [
    ...lines('Instructions by', counts.generators),
    ...lines('Responses by', counts.responders),
    ...lines('Labels by', counts.teachers),
  ];
  const terms = Object.entries(models).map(([model, licence]) => `- ${model}: ${licence}`);
  return [
    ...head,
    '',
    `# ${name}`,
    '',
    'Texts for training a safety guard: instructions that a language model wrote, with responses, and a teacher’s probability',
    'that each is unsafe. Made with [HarmAug](https://arxiv.org/abs/2410.01524).',
    '',
    '## Intended use',
    '',
    'Training and testing classifiers that recognise harmful requests and responses. Much of the text is offensive, and some',
    'describes harmful acts; it is not true, not advice, and no person’s view. It must not be used to train models that write',
    'such text, and should not be shown to people who have not agreed to see it.',
    '',
    '## How it was made',
    '',
    `- ${counts.rows} rows, ${counts.labelled} labelled${share}${leftOut > 0 ? `; ${leftOut} without a label left out` : ''}`,
    ...made,
    ...(prefix !== null ? [`- Writers’ turns for harmful instructions began with: ${JSON.stringify(prefix)}`] : []),
    '- Filters, parsing and marks: harmaug, from the recipe that comes with the run',
    ...(terms.length > 0 ? ['', '### Licences and terms of the models', '', ...terms] : []),
    ...(notes ? ['', notes.trim()] : []),
    '',
    '## Counts',
    '',
    ...table('asked for', counts.kinds),
    ...table('response', counts.responseKinds),
    ...table('category', counts.categories),
    ...(notKept.length > 0 ? [...table('instructions left out', Object.fromEntries(notKept))] : []),
    '## Columns',
    '',
    '| column | |',
    '| --- | --- |',
    ...datasetColumns.map((column) => `| \`${column.name}\` | ${column.about} |`),
    '',
    '## Limits',
    '',
    'The labels repeat what the teacher gets wrong. Texts are what models write, not what people write, and cover what the',
    'writer could think of.',
    '',
  ].join('\n');
}

function lines(what: string, counts: Counts): string[] {
  return Object.entries(counts).map(([name, rows]) => `- ${what} ${name}: ${rows} rows`);
}

function table(title: string, counts: Counts): string[] {
  const entries = Object.entries(counts);
  if (entries.length === 0) return [];
  const cells = entries.map(([name, rows]) => `| ${name.replaceAll('|', '\\|').replace(/\s+/g, ' ')} | ${rows} |`);
  return [`| ${title} | rows |`, '| --- | --- |', ...cells, ''];
}
