/** What judging costs: the figures of one model, and of a student beside its teacher. */
import type { Speed } from './measure.ts';

/** Of texts of one length. What is not known is `null`, never 0. */
export interface CheckCost {
  /** Tokens of a text, or "data" for those of real rows. */
  readonly length: number | 'data';
  /** Tokens that the model reads on average, special ones and its template included. */
  readonly tokens: number | null;
  readonly flops: number | null;
  readonly flopsPerToken: number | null;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly textsPerSecond: number | null;
  readonly tokensPerSecond: number | null;
  /** In the price table's currency. */
  readonly perMillionChecks: number | null;
}

export interface ModelCost {
  readonly name: string;
  readonly precision: string | null;
  readonly parameters: number | null;
  readonly parametersWithoutEmbeddings: number | null;
  readonly diskBytes: number | null;
  /** Of a process that did nothing else. */
  readonly peakMemoryBytes: number | null;
  readonly checks: readonly CheckCost[];
}

export interface CheckFacts {
  readonly length: CheckCost['length'];
  /** Of each text, as far as the parent process can tell. */
  readonly lengths: readonly number[] | null;
  readonly speed: Speed | null;
  readonly flopsOf: ((tokens: number) => number) | null;
  readonly money: (tokens: number | null, speed: Speed | null) => number | null;
}

export function checkCost({ length, lengths, speed, flopsOf, money }: CheckFacts): CheckCost {
  const known = lengths ?? (speed?.usage ? [Math.round(speed.usage.promptTokens)] : null);
  const tokens = known === null ? null : mean(known);
  const flops = known === null || flopsOf === null ? null : meanFlops(known, flopsOf);
  return {
    length,
    tokens,
    flops,
    flopsPerToken: flops === null || tokens === null ? null : flops / tokens,
    p50Ms: speed?.p50Ms ?? null,
    p95Ms: speed?.p95Ms ?? null,
    textsPerSecond: speed?.textsPerSecond ?? null,
    tokensPerSecond: speed === null || tokens === null ? null : speed.textsPerSecond * tokens,
    perMillionChecks: money(tokens, speed),
  };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Each length is counted once. */
function meanFlops(lengths: readonly number[], flopsOf: (tokens: number) => number): number {
  const counts = new Map<number, number>();
  for (const length of lengths) counts.set(length, (counts.get(length) ?? 0) + 1);
  let sum = 0;
  for (const [length, count] of counts) sum += count * flopsOf(length);
  return sum / lengths.length;
}

/** Teacher over student: how many times as much the teacher takes; of throughputs the student's over the teacher's. */
export interface CostRatio {
  readonly name: string;
  readonly precision: string | null;
  readonly length: CheckCost['length'];
  readonly parameters: number | null;
  readonly flops: number | null;
  readonly p50Ms: number | null;
  readonly textsPerSecond: number | null;
  readonly peakMemoryBytes: number | null;
  readonly diskBytes: number | null;
  readonly perMillionChecks: number | null;
}

const over = (a: number | null, b: number | null): number | null =>
  a === null || b === null || b === 0 ? null : a / b;

export function ratios(students: readonly ModelCost[], teacher: ModelCost): CostRatio[] {
  return students.flatMap((student) =>
    student.checks.flatMap((own) => {
      const other = teacher.checks.find(({ length }) => length === own.length);
      if (other === undefined) return [];
      const { name, precision } = student;
      return [
        {
          ...{ name, precision, length: own.length },
          parameters: over(teacher.parameters, student.parameters),
          flops: over(other.flops, own.flops),
          p50Ms: over(other.p50Ms, own.p50Ms),
          textsPerSecond: over(own.textsPerSecond, other.textsPerSecond),
          peakMemoryBytes: over(teacher.peakMemoryBytes, student.peakMemoryBytes),
          diskBytes: over(teacher.diskBytes, student.diskBytes),
          perMillionChecks: over(other.perMillionChecks, own.perMillionChecks),
        },
      ];
    }),
  );
}
