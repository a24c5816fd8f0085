/** summary.json: a run in figures, from what its steps recorded alone. */
import type { AttackSuccess, Diversity } from '../measures/measure.node.ts';
import type { ExperimentFiles } from './files.node.ts';
import type { StepRecord } from './records.node.ts';
import type { StepName } from './step.node.ts';
import type { CostFacts } from './steps/cost.node.ts';
import type { SweepFacts } from './sweep-facts.node.ts';

type Sets = Readonly<Record<'seed' | 'synthetic' | 'together', Diversity>>;

/** Sections are `null` where the recipe did not ask for them. */
export interface Summary {
  readonly kind: 'run';
  readonly version: 1;
  readonly recipe: string;
  readonly rows: { readonly synthetic: number | null; readonly seed: number | null };
  readonly attack: { readonly with: AttackSuccess; readonly without: AttackSuccess | null } | null;
  readonly diversity: Sets | null;
  readonly students: SweepFacts | null;
  readonly guard: GuardFacts | null;
  readonly cost: CostFacts | null;
  readonly places: Readonly<Partial<Record<'report' | 'guard' | 'data', string>>>;
  readonly seconds: Readonly<Partial<Record<StepName, number>>>;
}

export interface GuardFacts {
  readonly setting: string;
  readonly seed: number;
  /** On the student's own held-out rows. */
  readonly validationAuprc: number | null;
  readonly files: readonly { readonly precision: string; readonly bytes: number }[];
}

export function summaryOf(recipe: string, files: ExperimentFiles, records: ReadonlyMap<StepName, StepRecord>): Summary {
  const facts = <Facts>(name: StepName) => (records.get(name)?.facts ?? null) as Facts | null;
  const measured = facts<{ attack: AttackSuccess; attackWithout: AttackSuccess | null; diversity: Sets }>('measure');
  const rowsOf = (name: StepName) => facts<{ rows: number }>(name)?.rows ?? null;
  return {
    ...{ kind: 'run', version: 1, recipe },
    rows: { synthetic: rowsOf('dataset'), seed: rowsOf('seed') },
    attack: measured && { with: measured.attack, without: measured.attackWithout },
    diversity: measured?.diversity ?? null,
    students: facts<SweepFacts>('sweep'),
    guard: facts<GuardFacts>('guard'),
    cost: facts<CostFacts>('cost'),
    places: {
      ...(records.has('report') ? { report: files.report } : {}),
      ...(records.has('guard') ? { guard: files.guard } : {}),
      ...(records.has('dataset') ? { data: files.dataset } : {}),
    },
    seconds: Object.fromEntries([...records].map(([name, { seconds }]) => [name, seconds])),
  };
}
