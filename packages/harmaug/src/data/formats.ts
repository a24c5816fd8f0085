/** From the columns of a public data set to a row. Each is a pure function of one record. */
import type { Fields } from './row.ts';

/** One record of a file: a line of JSONL, a row of CSV or Parquet. */
export type DataRecord = Readonly<Record<string, unknown>>;

export interface Format {
  /** What the columns are, for people. */
  readonly columns: string;
  /** The fields of the row, or why the record is left out. */
  readonly read: (record: DataRecord) => Fields | { readonly skip: string };
}

const isTrue = (value: unknown) =>
  value === true || value === 1 || value === '1' || value === 'True' || value === 'true';

/** 1 for one of `unsafe`, 0 for one of `safe`, else the value itself, which the check of the row then refuses. */
const labelOf = (value: unknown, unsafe: readonly string[], safe: readonly string[]): unknown => {
  const name = String(value).toLowerCase();
  return unsafe.includes(name) ? 1 : safe.includes(name) ? 0 : value;
};

/** Any of these marked makes a text unsafe; a category that was not annotated counts as not marked. */
const OPENAI_CATEGORIES = ['S', 'H', 'V', 'HR', 'SH', 'S3', 'H2', 'V2'];

export const formats = {
  /** Our own contract (docs: "Labelled data"). */
  harmaug: {
    columns: 'prompt, response?, label?, soft_label?, id?, source?, category?',
    read: ({ id, prompt, response, label, soft_label, source, category }) => {
      return { id, prompt, response, label, softLabel: soft_label, source, category };
    },
  },
  /** openai/moderation-api-release, samples-1680.jsonl.gz */
  'openai-moderation': {
    columns: `prompt, ${OPENAI_CATEGORIES.join(', ')}`,
    read: (record) => {
      const marked = OPENAI_CATEGORIES.filter((category) => isTrue(record[category]));
      return { prompt: record.prompt, label: marked.length > 0 ? 1 : 0, category: marked[0] };
    },
  },
  /** lmsys/toxic-chat, toxicchat0124: `toxicity` of the user's input */
  toxicchat: {
    columns: 'conv_id, user_input, toxicity',
    read: ({ conv_id, user_input, toxicity }) => ({ id: conv_id, prompt: user_input, label: Number(toxicity) }),
  },
  /** AnonHB/HarmAug_generated_dataset: what the paper made; a third of its rows are instructions alone */
  'harmaug-released': {
    columns: 'prompt, response?, unsafe-score',
    read: (record) => {
      const { prompt, response } = record;
      return { prompt, response: response === '' ? undefined : response, softLabel: record['unsafe-score'] };
    },
  },
  /** HarmAug's harmbench_eval.json: pairs whose response is labelled by people */
  'harmbench-pairs': {
    columns: 'prompt, response, label',
    read: ({ prompt, response, label }) => ({
      prompt,
      response,
      label: labelOf(label, ['unsafe', '1'], ['safe', '0']),
    }),
  },
  /** HarmAug's openai_moderation_eval.json */
  'harmaug-moderation': {
    columns: 'prompt, toxicity',
    read: ({ prompt, toxicity }) => ({ prompt, label: Number(toxicity) }),
  },
  /** allenai/wildguardmix: the prompt's own label */
  'wildguardmix-prompt': {
    columns: 'prompt, prompt_harm_label, subcategory',
    read: ({ prompt, prompt_harm_label, subcategory }) => {
      if (prompt_harm_label === null || prompt_harm_label === undefined) return { skip: 'no label' };
      return { prompt, label: labelOf(prompt_harm_label, ['harmful'], ['unharmful']), category: subcategory };
    },
  },
  /** The response's label; HarmAug's evaluation counts an absent one as safe, others drop it, and so do we. */
  'wildguardmix-response': {
    columns: 'prompt, response, response_harm_label, subcategory',
    read: ({ prompt, response, response_harm_label, subcategory }) => {
      if (response_harm_label === null || response_harm_label === undefined) return { skip: 'no label' };
      const label = labelOf(response_harm_label, ['harmful'], ['unharmful']);
      return { prompt, response, label, category: subcategory };
    },
  },
  /** PKU-Alignment/BeaverTails */
  beavertails: {
    columns: 'prompt, response, is_safe',
    read: ({ prompt, response, is_safe }) => ({ prompt, response, label: isTrue(is_safe) ? 0 : 1 }),
  },
  /** nvidia/Aegis-AI-Content-Safety-Dataset-2.0 */
  'aegis2-prompt': {
    columns: 'id, prompt, prompt_label, violated_categories',
    read: ({ id, prompt, prompt_label, violated_categories }) => {
      if (prompt === 'REDACTED') return { skip: 'redacted' };
      return { id, prompt, label: labelOf(prompt_label, ['unsafe'], ['safe']), category: violated_categories };
    },
  },
  'aegis2-response': {
    columns: 'id, prompt, response, response_label, violated_categories',
    read: ({ id, prompt, response, response_label, violated_categories }) => {
      if (prompt === 'REDACTED') return { skip: 'redacted' };
      if (!response || !response_label) return { skip: 'no response' };
      return {
        id,
        prompt,
        response,
        label: labelOf(response_label, ['unsafe'], ['safe']),
        category: violated_categories,
      };
    },
  },
  /** paul-rottger/xstest: the contrasting prompts are unsafe, their look-alikes safe */
  xstest: {
    columns: 'id, prompt, type',
    read: ({ id, prompt, type }) => ({
      id: String(id),
      prompt,
      label: String(type).startsWith('contrast') ? 1 : 0,
      category: type,
    }),
  },
  /** JailbreakBench/JBB-Behaviors: harmful-behaviors.csv and benign-behaviors.csv */
  'jailbreakbench-harmful': {
    columns: 'Index, Goal, Category',
    read: ({ Goal, Category }) => ({ prompt: Goal, label: 1, category: Category }),
  },
  'jailbreakbench-benign': {
    columns: 'Index, Goal, Category',
    read: ({ Goal, Category }) => ({ prompt: Goal, label: 0, category: Category }),
  },
  /** bench-llm/or-bench: safe but for or-bench-toxic */
  'or-bench': { columns: 'prompt, category', read: ({ prompt, category }) => ({ prompt, label: 0, category }) },
  'or-bench-toxic': { columns: 'prompt, category', read: ({ prompt, category }) => ({ prompt, label: 1, category }) },
  /** bertiev/SimpleSafetyTests; its copy on the hub calls the prompt `prompt` */
  simplesafetytests: {
    columns: 'id, harm_area, prompts_final',
    read: ({ id, harm_area, prompts_final, prompt }) => {
      return { id: String(id), prompt: prompts_final ?? prompt, label: 1, category: harm_area };
    },
  },
  /** alexandrasouly/strongreject */
  strongreject: {
    columns: 'category, source, forbidden_prompt',
    read: ({ category, forbidden_prompt }) => ({ prompt: forbidden_prompt, label: 1, category }),
  },
  /** leolee99/NotInject: harmless texts with words that injections use */
  notinject: { columns: 'prompt, category', read: ({ prompt, category }) => ({ prompt, label: 0, category }) },
} satisfies Record<string, Format>;

export type FormatName = keyof typeof formats;

export const formatNames = Object.keys(formats) as FormatName[];

/** Columns by field: `{ prompt: 'instruction', label: 'is_harmful' }`. */
export type ColumnMap = { readonly [Field in keyof Fields]?: string };

/** A format of one's own from a map of columns; labels may be numbers, booleans or the words safe and unsafe. */
export function mappedFormat(columns: ColumnMap): Format {
  return {
    columns: Object.values(columns).join(', '),
    read: (record) => {
      const field = (name: keyof Fields) => (columns[name] === undefined ? undefined : record[columns[name]]);
      const { label, ...rest } = Object.fromEntries(
        (Object.keys(columns) as (keyof Fields)[]).map((name) => [name, field(name)]),
      ) as Record<string, unknown>;
      if (label === undefined || label === null) return rest;
      return {
        ...rest,
        label: labelOf(label, ['1', 'true', 'unsafe', 'harmful'], ['0', 'false', 'safe', 'unharmful']),
      };
    },
  };
}
