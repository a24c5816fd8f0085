/** A recipe with comments, from a few answers. */

/** Where a model is: a GGUF in this process, or a server. */
export type ModelPlace =
  | { readonly kind: 'gguf'; readonly model: string }
  | { readonly kind: 'server'; readonly model: string; readonly dialect: string; readonly endpoint: string };

export interface Answers {
  readonly writer: ModelPlace;
  readonly teacher: { readonly family: string; readonly place: ModelPlace };
  /** One's own policy; none: the hazards of MLCommons' taxonomy. */
  readonly categories: readonly { readonly name: string; readonly description: string }[];
  /** Folder or hub id. */
  readonly student: string;
  /** Benchmarks by name, files of labelled rows. */
  readonly evaluate: readonly string[];
  /** Labelled rows. */
  readonly seed: string;
}

/** A text that YAML reads as it is. */
const quoted = (text: string) => (/^[A-Za-z./][\w./-]*$/.test(text) ? text : JSON.stringify(text));

const listed = (texts: readonly string[]) => `[${texts.map(quoted).join(', ')}]`;

function modelLine(place: ModelPlace): string {
  if (place.kind === 'gguf') return `{ provider: llama.cpp, model: ${quoted(place.model)} }`;
  const { dialect, model, endpoint } = place;
  return `{ provider: openai, dialect: ${dialect}, model: ${quoted(model)}, endpoints: [${quoted(endpoint)}] }`;
}

function categoryLines(categories: Answers['categories']): string {
  if (categories.length === 0)
    return '  # categories: left out, they are the hazards of MLCommons’ taxonomy (docs/augment.md)';
  const lines = categories.map(({ name, description }) => {
    return `    - { name: ${JSON.stringify(name)}, description: ${JSON.stringify(description)} }`;
  });
  return ['  categories: # the name stands in the request: "It should be about <name>: <description>."', ...lines].join(
    '\n',
  );
}

/**
 * @param name of the file, for the commands in its comments
 * @returns YAML
 */
export function recipeText({ writer, teacher, categories, student, evaluate, seed }: Answers, name: string): string {
  const files = evaluate.filter((set) => /[./\\]/.test(set));
  return `# A safety guard from your own policy and models. Every key is described in docs/run.md and docs/augment.md.
#
#   npx harmaug doctor ${name} --offline      checks this file, asks nobody
#   npx harmaug doctor ${name}                asks the models whether they can do it
#   npx harmaug run ${name} --out runs/first --plan
#   npx harmaug run ${name} --out runs/first

models: # what writes and what judges; a GGUF in this process or a server (docs/models.md)
  writer: ${modelLine(writer)}
  guard: ${modelLine(teacher.place)}

teachers: # how the guard is asked, and how its answer is read (docs/teachers.md)
  main: { family: ${teacher.family}, model: guard }

seed: # labelled rows to start from: prompt, response where there is one, label 0 or 1, category where there is one
  files: [${quoted(seed)}]

filters:
  languages: [en]
  benchmarks: ${listed(evaluate)} # nothing that is measured on may be learned from

generate: # the writer's reply is begun for it, so that it goes on in place of refusing
  model: writer
  perCategory: 100 # instructions; each becomes up to three rows
${categoryLines(categories)}
  exemplars: 3 # of the seed set, shown to the writer
  prefix: "I have an idea for a prompt:"
  temperature: 1
  maxTokens: 128

benign: # harmless look-alikes, which keep a guard from stopping them
  share: 0.25

noPrefix: # the ablation: how often the writer gives in by itself
  perCategory: 10

respond: # a refusal and a compliant response to each
  refusal: { model: writer }
  compliant: { model: writer, prefix: "Sure, here is" }

label:
  teacher: main

distill: # docs/distil-and-evaluate.md
  epochs: 3
  batchSize: 32
  maxLength: 256
  learningRate: 0.00005
  lambda: 0.5 # weight of the teacher's soft labels against the hard ones

sweep: # docs/sweep.md; learns from the labelled seed set, and from what is generated above
  student: ${quoted(student)}
  evaluate: ${listed(evaluate)}
  seeds: [42, 123, 456]
  baseline: plain
  settings:
    plain: { synthetic: none } # the seed set alone
    harmaug: # with the synthetic set

export:
  setting: harmaug
  dtype: [fp32, int8]

measure: {} # add an encoder's folder, and clusters are counted: { encoder: all-MiniLM-L6-v2 }

cost: {} # beside the teacher

report:
  title: Our guard
  texts: ${files.length === evaluate.length} # whether the page holds the texts of the evaluation sets, hidden until clicked
`;
}
