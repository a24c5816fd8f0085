/** A recipe: one YAML file with a section for each stage of an experiment. */
import { readFile, stat } from 'node:fs/promises';
import { FormatError } from 'onnx-grad';
import { LineCounter, parseDocument } from 'yaml';
import { unknownName } from '../text/suggest.ts';

export type Section = Readonly<Record<string, unknown>>;

export interface Recipe {
  readonly file: string;
  readonly sections: Readonly<Record<string, Section>>;
}

const MAX_RECIPE_BYTES = 1_000_000;
const MAX_ALIASES = 100; // what a file may blow up to by repeating its parts

/** Sections that a recipe may have. */
const sectionNames = [
  ...['models', 'teachers', 'seed', 'filters', 'generate', 'benign', 'respond', 'label', 'prices', 'dataset'],
  ...['distill', 'sweep', 'adapt', 'noPrefix', 'measure', 'export', 'cost', 'report'],
] as const;

/** @throws FormatError naming the file and the line or key: no YAML, an unknown section, a section that is no mapping */
export async function readRecipe(file: string): Promise<Recipe> {
  const fail = (problem: string, cause?: unknown): never => {
    throw new FormatError(`${file}${problem}`, { file, cause });
  };
  const info = await stat(file).catch((cause) => fail(' does not exist.', cause));
  if (info.size > MAX_RECIPE_BYTES) fail(` has over ${MAX_RECIPE_BYTES} bytes.`);
  const lines = new LineCounter();
  const document = parseDocument(await readFile(file, 'utf8'), { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error) fail(` line ${lines.linePos(error.pos[0]).line} is not YAML: ${error.message.split('\n')[0]}`, error);
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (cause) {
    fail(': too many aliases.', cause);
  }
  if (!isMapping(content)) return fail(': expected a mapping with sections such as "distill".');
  for (const [name, section] of Object.entries(content)) {
    if (!sectionNames.includes(name as 'distill')) {
      fail(`: ${unknownName('section', name, sectionNames)}`);
    }
    if (!isMapping(section)) fail(`: "${name}": expected a mapping.`);
  }
  return { file, sections: content as Record<string, Section> };
}

/**
 * The section's settings, as they are.
 * @param known their names
 * @throws FormatError for an unknown one, with the closest
 */
export function sectionOf(
  { file, sections }: Recipe,
  name: (typeof sectionNames)[number],
  known: readonly string[],
): Section {
  const section = sections[name] ?? {};
  const unknown = Object.keys(section).find((key) => !known.includes(key));
  if (unknown === undefined) return section;
  throw new FormatError(`${file}: ${name}: ${unknownName('key', unknown, known)}`, { file, field: unknown });
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
