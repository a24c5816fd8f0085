/** The report as a file: results read, texts of the data given joined in, the page written. */
import { createHash } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { EvaluationSet } from '../evaluate/evaluate.ts';
import type { Findings } from './findings.ts';
import { type Page, renderPage } from './page.ts';
import { readFindings } from './read/read.node.ts';
import { revealScript } from './reveal.ts';
import type { Text } from './sections/section.ts';

export interface ReportOptions {
  /** Files and folders of saved results. */
  readonly places: readonly string[];
  readonly out: string;
  readonly title: string;
  /** Sets whose texts are shown, once asked for, beside scores. */
  readonly data: readonly EvaluationSet[];
  readonly version: string;
  readonly now?: Date;
}

export interface ReportResult {
  readonly file: string;
  readonly bytes: number;
  readonly sections: readonly string[];
  /** Results read, by kind. */
  readonly results: Readonly<Record<string, number>>;
  /** Files in the folders that are no results. */
  readonly passedBy: readonly string[];
}

/** @throws FormatError for a place that is missing, unknown or broken: nothing is written then */
export async function writeReport({
  places,
  out,
  title,
  data,
  version,
  now = new Date(),
}: ReportOptions): Promise<ReportResult> {
  const { findings, passedBy } = await readFindings(places);
  const page = render(findings, { title, data, version, now });
  await mkdir(path.dirname(out), { recursive: true });
  await writeFile(`${out}.part`, page.html, { mode: 0o600 });
  await rename(`${out}.part`, out);
  const counts = Object.entries(findings).map(([kind, list]) => [kind, list.length] as const);
  return {
    file: out,
    bytes: Buffer.byteLength(page.html),
    sections: page.sections,
    results: Object.fromEntries(counts.filter(([, count]) => count > 0)),
    passedBy,
  };
}

function render(
  findings: Findings,
  { title, data, version, now }: Pick<ReportOptions, 'title' | 'data' | 'version'> & { now: Date },
): Page {
  const texts = new Map(data.map(({ id, rows }) => [id, new Map(rows.map((row): [string, Text] => [row.id, row]))]));
  return renderPage(findings, {
    title,
    date: now.toISOString().slice(0, 10),
    madeBy: `harmaug ${version}`,
    scriptHash: `sha256-${createHash('sha256').update(revealScript).digest('base64')}`,
    texts,
  });
}
