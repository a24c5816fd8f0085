/**
 * Which candidates are kept, one after the other in the order of the plan. What is said of a candidate depends on those
 * before it alone, never on when its answer came.
 */
import type { NearDuplicates, Sketch } from '../dedup/near-duplicates.ts';
import type { Overlap } from '../dedup/overlap.ts';
import { VectorIndex } from '../dedup/vectors.ts';
import type { Written } from '../ledger/records.ts';
import { endsSentence, parseInstruction } from './instruction.ts';
import type { Reason } from './reasons.ts';
import { isRefusal } from './refusals.ts';

/** What an answer must be by itself. */
export interface AnswerRules {
  readonly maxCharacters: number;
  /** Languages allowed; `null` for any. */
  readonly languages: readonly string[] | null;
  /** `null` where it cannot tell, which counts as allowed. */
  readonly languageOf: (text: string) => string | null;
}

export interface Instruction {
  readonly text: string;
  /** Why it cannot be kept, whatever else there is. */
  readonly reason: Reason | null;
}

/** The instruction in what a writer wrote. */
export function readInstruction({ text: written, finish }: Written, rules: AnswerRules): Instruction {
  const { text, isEnded } = parseInstruction(written);
  const isCut = finish === 'length' && !isEnded && !endsSentence(text);
  const checks: readonly (readonly [Reason, () => boolean])[] = [
    ['filtered', () => finish === 'filter'],
    ['prompt-too-long', () => finish === 'too-long'],
    ['empty', () => text === ''],
    ['refusal', () => isRefusal(text)],
    ['cut-off', () => isCut],
    ['too-long', () => text.length > rules.maxCharacters],
    ['wrong-language', () => isForeign(text, rules)],
  ];
  return { text, reason: checks.find(([, applies]) => applies())?.[0] ?? null };
}

function isForeign(text: string, { languages, languageOf }: AnswerRules): boolean {
  const language = languages === null ? null : languageOf(text);
  return language !== null && !languages!.includes(language);
}

export interface Decision {
  readonly state: 'kept' | 'rejected' | 'spare';
  readonly reason: Reason | null;
  /** Of the row that it nearly repeats. */
  readonly duplicateOf: string | null;
}

export interface SelectionOptions {
  readonly near: NearDuplicates | null;
  readonly overlap: Overlap | null;
  /** Cosine from which two meanings are nearly the same; `null`: meanings are not compared. */
  readonly vectorThreshold: number | null;
}

const KEPT: Decision = { state: 'kept', reason: null, duplicateOf: null };
const SPARE: Decision = { state: 'spare', reason: null, duplicateOf: null };
const rejected = (reason: Reason, duplicateOf: string | null = null): Decision => {
  return { state: 'rejected', reason, duplicateOf };
};

/** Texts that are there: those given as known, and those kept so far. */
export class Selection {
  readonly #near: NearDuplicates | null;
  readonly #overlap: Overlap | null;
  readonly #vectors: VectorIndex | null;
  readonly #ids: string[] = [];
  readonly #vectorIds: string[] = [];

  constructor({ near, overlap, vectorThreshold }: SelectionOptions) {
    this.#near = near;
    this.#overlap = overlap;
    this.#vectors = vectorThreshold === null ? null : new VectorIndex(vectorThreshold);
  }

  /** A text that no row may repeat: of the labelled data, or imported. */
  addKnown(id: string, text: string, vector?: Float32Array): void {
    this.#keep(id, this.#near?.sketch(text), vector);
  }

  hasOverlap(text: string): boolean {
    return this.#overlap?.has(text) === true;
  }

  /** @param isFull whether its cell needs no more: then it is spare */
  decide(id: string, { text, reason }: Instruction, isFull: boolean, vector?: Float32Array): Decision {
    if (reason !== null) return rejected(reason);
    if (this.hasOverlap(text)) return rejected('benchmark-overlap');
    if (isFull) return SPARE;
    const sketch = this.#near?.sketch(text);
    const near = sketch === undefined ? -1 : this.#near!.find(sketch);
    if (near >= 0) return rejected('near-duplicate', this.#ids[near]!);
    const meant = vector === undefined ? -1 : this.#vectors!.find(vector);
    if (meant >= 0) return rejected('near-duplicate', this.#vectorIds[meant]!);
    this.#keep(id, sketch, vector);
    return KEPT;
  }

  #keep(id: string, sketch: Sketch | undefined, vector: Float32Array | undefined): void {
    if (sketch !== undefined) {
      this.#near!.add(sketch);
      this.#ids.push(id);
    }
    if (vector !== undefined) {
      this.#vectors!.add(vector);
      this.#vectorIds.push(id);
    }
  }
}
