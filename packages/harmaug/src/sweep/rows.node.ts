/** The rows of a setting: read once a file, then what its axes leave and add. */
import { createHash } from 'node:crypto';
import { ConfigError } from 'onnx-grad';
import type { DataRecord, FormatName } from '../data/formats.ts';
import { type ReadRows, readRows } from '../data/read.node.ts';
import type { Row } from '../data/row.ts';
import type { DistillRows } from '../distill/distill.node.ts';
import { edaCopies } from '../eda/augment.ts';
import type { Synonyms } from '../eda/operations.ts';
import { openWordNet } from '../eda/wordnet.node.ts';
import type { Subject } from './axes.ts';
import { nestedSubset } from './subset.ts';

export interface SettingRows extends DistillRows {
  /** Of all that is learned from, in order. */
  readonly hash: string;
}

export interface RowReaderOptions {
  readonly format: FormatName;
  readonly limit: number | null;
}

const BENIGN = 'benign'; // of the column `kind` that harmaug export-data writes

/** Reads rows for one setting after the other; files that settings share are read once. */
export class RowReader {
  readonly #options: RowReaderOptions;
  readonly #read = new Map<string, Promise<ReadRows>>();
  #synonyms: Promise<Synonyms> | null = null;

  constructor(options: RowReaderOptions) {
    this.#options = options;
  }

  /** @throws ConfigError, FormatError for files and values that will not do */
  async rowsOf(subject: Subject, where: string): Promise<SettingRows> {
    const seed = await this.#readOnce(subject.train, true);
    const known = await this.#readOnce(subject.synthetic, subject.hasBenign);
    const copies =
      subject.eda === null ? null : edaCopies(seed.rows, { ...subject.eda, synonyms: await this.#wordNet() });
    const all = copies === null ? known.rows : [...known.rows, ...copies.copies];
    const { syntheticRows } = subject;
    const synthetic = syntheticRows === null ? all : nestedSubset(all, syntheticRows, `${where}: syntheticRows`);
    return {
      seed,
      synthetic: { rows: synthetic, skipped: known.skipped },
      ...(copies === null ? {} : { originals: copies.originals }),
      hash: hashOf(seed.rows, synthetic),
    };
  }

  #readOnce(files: readonly string[], withBenign: boolean): Promise<ReadRows> {
    const key = JSON.stringify([files, withBenign]);
    const known = this.#read.get(key);
    if (known) return known;
    const read = this.#readFiles(files, withBenign);
    this.#read.set(key, read);
    return read;
  }

  async #readFiles(files: readonly string[], withBenign: boolean): Promise<ReadRows> {
    const { format, limit } = this.#options;
    const limited = limit === null ? {} : { limit };
    if (withBenign) return readRows(files, { format, ...limited });
    let withKind = 0;
    const leaveOut = ({ kind }: DataRecord) => {
      if (kind !== undefined && kind !== null) withKind += 1;
      return kind === BENIGN ? 'benign' : null;
    };
    const rows = await readRows(files, { format, ...limited, leaveOut });
    if (withKind === 0 && files.length > 0) {
      throw new ConfigError(
        `${files.join(', ')}: benign: off needs the column "kind", as harmaug export-data writes it.`,
      );
    }
    return rows;
  }

  #wordNet(): Promise<Synonyms> {
    this.#synonyms ??= openWordNet();
    return this.#synonyms;
  }
}

/** "sha256:…" of every text and label. */
export function hashOf(...sets: readonly (readonly Row[])[]): string {
  const hash = createHash('sha256');
  for (const rows of sets) {
    hash.update(`${rows.length}\n`);
    for (const { id, prompt, response, label, softLabel, category } of rows) {
      const fields = [id, prompt, response ?? null, label ?? null, softLabel ?? null, category ?? null];
      hash.update(`${JSON.stringify(fields)}\n`);
    }
  }
  return `sha256:${hash.digest('hex')}`;
}
