/** A part of the page. */
import type { Benchmark, NamedGuard } from '../benchmarks.ts';
import type { Findings } from '../findings.ts';
import type { Html } from '../html.ts';
import type { ScoredSet } from '../link-scores.ts';

export interface Material extends Omit<Findings, 'guards'> {
  readonly guards: readonly NamedGuard[];
  readonly benchmarks: readonly Benchmark[];
  readonly scored: readonly ScoredSet[];
  /** Texts by set and id, of the data given. */
  readonly texts: ReadonlyMap<string, ReadonlyMap<string, Text>>;
  /** Short names of places. */
  readonly nameOf: (place: string) => string;
}

export interface Text {
  readonly prompt: string;
  readonly response?: string;
}

export interface Section {
  readonly id: string;
  readonly title: string;
  /** `null`, where nothing was found for it: the section is left out. */
  readonly render: (material: Material) => Html | null;
}
