/**
 * The official `openai` clients of Node and Python, unchanged, against `harmaug serve`: a string, an array, parts, errors.
 * `npm run check:openai-clients [-- <exported folder>]`; without a folder on a tiny guard. Python's client goes into .cache.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import OpenAI, { AuthenticationError, BadRequestError } from 'openai';
import { VERSION } from 'openai/version';
import { temporaryFolder, writeTinyGuard } from '../../guard/test/tiny-guard.node.ts';
import { startServeProcess } from './serve-process.ts';

type Input = OpenAI.ModerationCreateParams['input'];

interface Seen {
  readonly version: string;
  /** For each input, each result. */
  readonly results: readonly (readonly {
    readonly flagged: boolean;
    readonly categories: Readonly<Record<string, boolean>>;
    readonly scores: Readonly<Record<string, number>>;
  }[])[];
  readonly errors: Readonly<Record<string, unknown>>;
}

const KEY = 'a-key-of-this-check';
const inputs: readonly Input[] = [
  'What a lovely cake!',
  ['What a lovely cake!', 'You are a lazy dog.', 'How do I kill a Python process?'],
  [
    { type: 'text', text: 'What a lovely cake!' },
    { type: 'text', text: 'You are a lazy dog.' },
  ],
];

async function askNode(url: string): Promise<Seen> {
  const client = new OpenAI({ baseURL: url, apiKey: KEY, maxRetries: 0 });
  const results = [];
  for (const input of inputs) {
    const moderation = await client.moderations.create({ model: 'omni-moderation-latest', input });
    results.push(
      moderation.results.map(({ flagged, categories, category_scores }) => ({
        flagged,
        categories: { ...categories } as unknown as Record<string, boolean>,
        scores: { ...category_scores } as unknown as Record<string, number>,
      })),
    );
  }
  const refusal = async (kind: typeof BadRequestError | typeof AuthenticationError, asked: Promise<unknown>) => {
    const error = await asked.then(
      () => null,
      (thrown: unknown) => thrown,
    );
    return error instanceof kind ? { status: error.status, code: error.code, param: error.param } : null;
  };
  const image: Input = [{ type: 'image_url', image_url: { url: 'data:,' } }];
  const stranger = new OpenAI({ baseURL: url, apiKey: 'a-key-of-nobody', maxRetries: 0 });
  const errors = {
    image: await refusal(BadRequestError, client.moderations.create({ input: image })),
    key: await refusal(AuthenticationError, stranger.moderations.create({ input: 'Hello' })),
  };
  return { version: VERSION, results, errors };
}

function askPython(url: string, folder: string): Seen {
  const venv = path.join(import.meta.dirname, '../../../.cache/openai-client');
  const python = path.join(venv, 'bin', 'python');
  if (!existsSync(python)) {
    mkdirSync(path.dirname(venv), { recursive: true });
    execFileSync('python3', ['-m', 'venv', venv], { stdio: 'inherit' });
    execFileSync(python, ['-m', 'pip', 'install', '--quiet', 'openai'], { stdio: 'inherit' });
  }
  const file = path.join(folder, 'inputs.json');
  writeFileSync(file, JSON.stringify(inputs));
  const script = path.join(import.meta.dirname, 'openai_client.py');
  return JSON.parse(execFileSync(python, [script, url, KEY, file], { encoding: 'utf8' })) as Seen;
}

/** @returns what is not as it should be */
function problemsOf(name: string, { results, errors }: Seen): string[] {
  const scores = results.map((of) => of.map((result) => result.scores.unsafe!));
  const facts: Readonly<Record<string, boolean>> = {
    'one result, one a string, one for all parts': isDeepStrictEqual(
      results.map((of) => of.length),
      [1, 3, 1],
    ),
    'scores from 0 to 1': scores.flat().every((score) => score >= 0 && score <= 1),
    'the same text has the same score': Math.abs(scores[0]![0]! - scores[1]![0]!) < 1e-4,
    'flagged as its category': results.flat().every(({ flagged, categories }) => flagged === categories.unsafe),
    'an image is refused': isDeepStrictEqual(errors.image, {
      status: 400,
      code: 'unsupported_input',
      param: 'input.0',
    }),
    'a wrong key is refused': isDeepStrictEqual(errors.key, { status: 401, code: 'invalid_api_key', param: null }),
  };
  return Object.entries(facts).flatMap(([fact, isTrue]) => (isTrue ? [] : [`${name}: not so: ${fact}`]));
}

const folder = await temporaryFolder();
const guard = process.argv[2] ?? (await writeTinyGuard(path.join(folder, 'guard')));
const server = await startServeProcess(guard, ['--workers', '1'], { HARMAUG_API_KEYS: KEY });
try {
  const url = `${server.url}/v1`;
  const node = await askNode(url);
  const python = askPython(url, folder);
  const isSame =
    isDeepStrictEqual(node.errors, python.errors) &&
    node.results.flat().every((result, row) => {
      const other = python.results.flat()[row]!;
      return result.flagged === other.flagged && Math.abs(result.scores.unsafe! - other.scores.unsafe!) < 1e-4;
    });
  const problems = [
    ...problemsOf('Node', node),
    ...problemsOf('Python', python),
    ...(isSame ? [] : ['Node and Python read different answers']),
  ];
  console.log(`openai for Node ${node.version}, for Python ${python.version}: string, array, parts, image, wrong key`);
  console.log(problems.length === 0 ? 'Both clients read every answer.' : problems.join('\n'));
  process.exitCode = problems.length === 0 ? 0 : 1;
} finally {
  await server.stop();
  rmSync(folder, { recursive: true });
}
