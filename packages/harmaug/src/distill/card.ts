/** README.md of a student: what it is, what it learned from, what one may do with it. */
import type { CurvePoint } from './curve.ts';
import type { DistillSettings } from './settings.ts';

export interface CardFacts {
  /** Name of the folder, or hub id with its commit, that training started from. */
  readonly student: string;
  /** Its hub id alone; `null` for a folder. */
  readonly baseModel: string | null;
  readonly settings: DistillSettings;
  readonly seed: number;
  readonly rows: {
    readonly seed: number;
    readonly synthetic: number;
    readonly validation: number;
    readonly truncated: number;
  };
  /** Files the rows came from, by name. */
  readonly files: readonly string[];
  /** Disguises in which every row was learned from too. */
  readonly transforms: readonly string[];
  /** Who gave the soft labels; `null` where there were none, or it was not said. */
  readonly teacher: string | null;
  readonly curve: readonly CurvePoint[];
}

/** Licences that say how a student must be named or what its use is bound to, by what the teacher's name has in it. */
const teacherTerms: readonly { readonly pattern: RegExp; readonly licence: string; readonly note: string }[] = [
  {
    pattern: /llama-?guard-?[12](?!\d)|llamaguard-7b|aegis/i,
    licence: 'llama2',
    note: 'The Llama 2 licence forbids using outputs of the teacher to improve any other large language model.',
  },
  {
    pattern: /llama/i,
    licence: 'llama3',
    note:
      'A model trained on outputs of Llama 3 or 4 and distributed must have a name that begins with "Llama" and show ' +
      '"Built with Llama". Rename this folder accordingly before you share it.',
  },
  {
    pattern: /gemma/i,
    licence: 'gemma',
    note: 'The Gemma terms bind models distilled from a Gemma model to its use policy, which has to be passed on.',
  },
  {
    pattern: /openai|omni-moderation|gpt-(?!oss)/i,
    licence: 'other',
    note: 'OpenAI’s terms restrict using outputs to train models that compete with its own.',
  },
];

/** A Hugging Face model card. */
export function modelCard(facts: CardFacts): string {
  const { student, baseModel, settings, seed, rows, files, transforms, teacher, curve } = facts;
  const terms = teacherTerms.find(({ pattern }) => teacher !== null && pattern.test(teacher));
  const last = curve.filter((point) => point.kind === 'validation').at(-1);
  const head = [
    '---',
    'pipeline_tag: text-classification',
    ...(terms ? [`license: ${terms.licence}`] : []),
    ...(baseModel === null ? [] : [`base_model: ${baseModel}`]),
    'tags:',
    '- safety',
    '- guard',
    '- harmaug',
    '---',
  ];
  const lines: readonly (readonly [string, string])[] = [
    ['Started from', student],
    ['Teacher', teacher ?? 'not said'],
    ['Rows', `${rows.seed} labelled, ${rows.synthetic} synthetic; ${rows.validation} of them held out`],
    ['Files', files.join(', ')],
    ...(transforms.length > 0 ? [['Disguised copies of the rows', transforms.join(', ')] as const] : []),
    ['Cut to the length limit', `${rows.truncated} rows, at ${settings.maxLength} tokens`],
    ['Loss', `(1 - λ)·CE + λ·KL, λ ${settings.lambda}, temperature ${settings.temperature}`],
    [
      'Steps',
      `${settings.epochs} epochs, ${settings.batchSize} rows a step, AdamW ${settings.learningRate}, seed ${seed}`,
    ],
    ...(last ? [['Validation', `AUPRC ${shown(last.auprc)}, F1 ${shown(last.f1)} at 0.5`] as const] : []),
  ];
  return [
    ...head,
    '',
    '# A safety guard',
    '',
    'Reads an instruction, or an instruction and a response, and says how likely it is to be harmful: the softmax of its two',
    'logits, `safe` and `unsafe`. An instruction alone is one text; with a response, the two are a text pair. Distilled with',
    '[HarmAug](https://arxiv.org/abs/2410.01524).',
    '',
    ...lines.map(([name, value]) => `- ${name}: ${value}`),
    '',
    '## Limits',
    '',
    'It repeats what its teacher and its labels get wrong. Measure it on text like yours, its false positives above all, and',
    'choose the threshold there. It is one layer of defence, not a proof that a text is harmless.',
    ...(terms ? ['', '## Licence', '', terms.note] : []),
    '',
  ].join('\n');
}

function shown(figure: number | null): string {
  return figure === null ? '—' : figure.toFixed(3);
}
