/** What is decided on candidates, round after round in the order of the plan, and the rows that follow. */
import { writtenOf } from '../ledger/calls.node.ts';
import type { Ledger } from '../ledger/ledger.node.ts';
import type { InstructionDraft, InstructionRow } from '../ledger/sets.node.ts';
import { candidateOf } from './candidates.node.ts';
import type { CellProgress } from './cells.ts';
import type { Embedder } from './embedder.node.ts';
import type { GeneratePlan, Round } from './plan-generate.node.ts';
import { type AnswerRules, type Instruction, readInstruction, type Selection } from './selection.ts';

/** Texts whose meanings are computed together, always the same ones: in another company a sum may round another way. */
export const EMBEDDED_TOGETHER = 32;

export interface DecisionsOptions {
  readonly plan: GeneratePlan;
  readonly selection: Selection;
  readonly rules: AnswerRules;
  /** Where meanings are compared. */
  readonly embedder: Embedder | null;
  readonly ledger: Ledger;
  /** Takes the rows; `null` where only the counts are wanted. */
  readonly draft: InstructionDraft | null;
}

export class Decisions {
  readonly #plan: GeneratePlan;
  readonly #selection: Selection;
  readonly rules: AnswerRules;
  readonly #embedder: Embedder | null;
  readonly #ledger: Ledger;
  readonly #draft: InstructionDraft | null;
  readonly #counts: { asked: number; kept: number }[];
  readonly reasons: Record<string, number> = {};
  #spare = 0;

  constructor({ plan, selection, rules, embedder, ledger, draft }: DecisionsOptions) {
    this.#plan = plan;
    this.#selection = selection;
    this.rules = rules;
    this.#embedder = embedder;
    this.#ledger = ledger;
    this.#draft = draft;
    this.#counts = plan.cells.map(() => ({ asked: 0, kept: 0 }));
  }

  get progress(): readonly CellProgress[] {
    return this.#counts;
  }

  get kept(): number {
    return this.#counts.reduce((sum, { kept }) => sum + kept, 0);
  }

  get facts(): Record<string, unknown> {
    const { cells, writers, wanted } = this.#plan;
    const ofKind = (kind: string) =>
      this.#counts.reduce((sum, { kept }, index) => sum + (cells[index]!.kind === kind ? kept : 0), 0);
    return {
      kept: this.kept,
      wanted,
      harmful: ofKind('harmful'),
      benign: ofKind('benign'),
      spare: this.#spare,
      asked: this.#counts.reduce((sum, { asked }) => sum + asked, 0),
      rejected: this.reasons,
      prefix: writers.harmful?.prefix ?? null,
      short: cells.flatMap(({ kind, category, wanted: of }, index) => {
        const { kept } = this.#counts[index]!;
        return kept < of ? [{ kind, category: category.name, kept, wanted: of }] : [];
      }),
    };
  }

  /** Decides on the candidates of a round in order, up to the first that has no answer. @returns whether all had one */
  async decide(round: Round): Promise<boolean> {
    for (let from = 0; from < round.keys.length; from += EMBEDDED_TOGETHER) {
      const to = Math.min(round.keys.length, from + EMBEDDED_TOGETHER);
      const read = [];
      for (let at = from; at < to; at++) {
        const written = writtenOf(this.#ledger, round.keys[at]!);
        if (written === null) break;
        read.push(readInstruction(written, this.rules));
      }
      const isWhole = read.length === to - from;
      // a part of those that belong together would be embedded otherwise than all of them
      if (!isWhole && this.#embedder !== null) return false;
      const wanted = read.filter(({ reason }) => reason === null).map(({ text }) => text);
      const vectors = (await this.#embedder?.embed(wanted))?.values();
      const rows = read.map((instruction, index) => {
        const vector = instruction.reason === null ? vectors?.next().value : undefined;
        return this.#row(round, from + index, instruction, vector);
      });
      this.#draft?.add(rows);
      if (!isWhole) return false;
    }
    return true;
  }

  #row(round: Round, at: number, instruction: Instruction, vector: Float32Array | undefined): InstructionRow {
    const cell = this.#plan.cells[round.cells[at]!]!;
    const counts = this.#counts[round.cells[at]!]!;
    const number = round.numbers[at]!;
    const writing = this.#plan.writers[cell.kind]!;
    const { key, prompt, exemplars } = candidateOf(cell, writing, number);
    const decision = this.#selection.decide(key, instruction, counts.kept >= cell.wanted, vector);
    counts.asked += 1;
    if (decision.state === 'kept') counts.kept += 1;
    if (decision.state === 'spare') this.#spare += 1;
    if (decision.reason) this.reasons[decision.reason] = (this.reasons[decision.reason] ?? 0) + 1;
    return {
      id: key,
      ...{ kind: cell.kind, category: cell.category.name, text: instruction.text },
      ...decision,
      model: writing.named.name,
      about: { round: round.number, number, prompt, exemplars },
    };
  }
}
