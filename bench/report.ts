/** What every benchmark gives: its rows and the machine they were measured on, as JSON or as a table. */
import os from 'node:os';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  /** Threads each side may use. */
  readonly threads: number;
  /** One-minute load average when the benchmark began: well under 1 means that nobody else was working. */
  readonly load: number;
  readonly versions: Readonly<Record<string, string>>;
}

export interface Row {
  readonly case: string;
  readonly metric: string;
  readonly unit: string;
  readonly ours: number;
  readonly peers: Readonly<Record<string, number>>;
  /** Over 1: ours is ahead of the best peer. `null`: no peer. */
  readonly ratio: number | null;
  /** Further figures of the case by name, where there are some. */
  readonly details: Readonly<Record<string, number>>;
}

export interface Report {
  readonly bench: string;
  readonly machine: Machine;
  readonly rows: readonly Row[];
}

export function describeMachine(threads: number, versions: Record<string, string>): Machine {
  return {
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    threads,
    load: os.loadavg()[0]!,
    versions: { node: process.versions.node, ...versions },
  };
}

/** A row with its ratio worked out. */
export function makeRow(row: Omit<Row, 'ratio'> & { better: 'lower' | 'higher' }): Row {
  const { better, details, ...rest } = row;
  const peers = Object.values(row.peers);
  const ratio = better === 'lower' ? Math.min(...peers) / row.ours : row.ours / Math.max(...peers);
  return { ...rest, ratio: peers.length === 0 ? null : ratio, details };
}

/** Three significant digits, or none after the point from 100 on. */
const formatNumber = (value: number) => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3));

const formatRecord = (record: Readonly<Record<string, number>>) =>
  Object.entries(record)
    .map(([name, value]) => `${name} ${formatNumber(value)}`)
    .join(', ');

/** The report as lines of text: the machine, then an aligned table. */
export function formatReport({ bench, machine, rows }: Report): string {
  const versions = Object.entries(machine.versions).map((entry) => entry.join(' '));
  const table = [
    ['case', 'metric', 'unit', 'ours', 'peers', 'ratio', 'details'],
    ...rows.map((row) => [
      row.case,
      row.metric,
      row.unit,
      formatNumber(row.ours),
      formatRecord(row.peers) || '-',
      row.ratio?.toFixed(2) ?? '-',
      formatRecord(row.details),
    ]),
  ];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((cells) => cells[column]!.length)));
  return [
    `${bench}: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.threads} threads, load ${formatNumber(machine.load)}`,
    versions.join(', '),
    '',
    ...table.map((cells) =>
      cells
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    ),
    '',
  ].join('\n');
}
