/** A run's summary as people read it, within 80 columns: figures, where things are, what to try next. */
import type { Summary } from '../experiment/summary.node.ts';
import type { Spread, SweepFacts } from '../experiment/sweep-facts.node.ts';
import type { AttackSuccess, Diversity } from '../measures/measure.node.ts';
import { type Cell, formatTable } from './table.ts';

export function formatSummary(summary: Summary): string {
  const { attack, diversity, students, cost, places, guard } = summary;
  const parts = [
    ...(attack === null ? [] : [attackTable(attack)]),
    ...(diversity === null ? [] : [diversityTable(diversity)]),
    ...(students === null ? [] : [studentTable(students)]),
    ...(cost === null ? [] : [costTable(cost)]),
    placesOf(places),
    ...(guard === null || places.guard === undefined ? [] : [commands(places.guard)]),
  ];
  return parts.join('\n');
}

function attackTable({ with: own, without }: NonNullable<Summary['attack']>): string {
  const row = (name: string, { replies, notRefused, judgedUnsafe, success }: AttackSuccess): Cell[] => {
    return [name, String(replies), percent(notRefused), percent(judgedUnsafe), percent(success)];
  };
  const rows = [
    ...(without === null ? [] : [row('without', without)]),
    row(own.prefix === null ? 'without' : 'with', own),
  ];
  return formatTable(['prefix', 'replies', 'not refused', 'of those unsafe', 'attack success'], rows);
}

function diversityTable({ seed, together }: NonNullable<Summary['diversity']>): string {
  const row = (name: string, { texts, distinct, selfBleu, clusters }: Diversity): Cell[] => {
    return [name, texts, distinct[1] ?? null, selfBleu, clusters];
  };
  const header = ['texts', 'count', 'distinct-2', 'self-BLEU', 'clusters'];
  return formatTable(header, [row('seed set', seed), row('with the synthetic ones', together)]);
}

function studentTable({ settings, lookAlikes, sets }: SweepFacts): string {
  const header = [
    ...['students', 'seeds', 'F1', 'AUPRC'],
    ...(lookAlikes === null ? [] : [`FPR on ${lookAlikes.rows} look-alikes`]),
  ];
  const rows = settings.map(({ name, n, f1, auprc, lookAlikesFpr }) => [
    ...[name, n, spreadCell(f1), spreadCell(auprc)],
    ...(lookAlikes === null ? [] : [spreadCell(lookAlikesFpr)]),
  ]);
  const measured = sets.map(({ name, rows: count, unsafe }) => `${name} (${count} rows, ${unsafe} unsafe)`);
  return `${formatTable(header, rows)}${wrapped(`mean ± deviation over seeds, measured on ${measured.join(', ')}`)}`;
}

const percent = (share: number | null): string => (share === null ? '—' : `${(100 * share).toFixed(1)}%`);

const MOST_COLUMNS = 80;

function wrapped(text: string): string {
  let lines = '';
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > MOST_COLUMNS) {
      lines += `${line}\n`;
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return `${lines}${line}\n`;
}

function spreadCell(spread: Spread | null): string {
  const { mean, std } = spread ?? { mean: null, std: null };
  if (mean === null) return '—';
  return std === null ? mean.toFixed(3) : `${mean.toFixed(3)} ± ${std.toFixed(3)}`;
}

function costTable({ guard, teacher }: NonNullable<Summary['cost']>): string {
  const all = [guard, ...(teacher === null ? [] : [teacher])];
  const rows = all.map(({ name, precision, parameters, flops, p50Ms }, index) => [
    index === 0 ? `guard${precision === null ? '' : `, ${precision}`}` : name === 'teacher' ? name : `teacher, ${name}`,
    short(parameters, 1e6),
    short(flops, 1e6),
    short(p50Ms, 1),
  ]);
  const times = (of: 'parameters' | 'flops' | 'p50Ms'): Cell => {
    const [own, other] = [guard[of], teacher?.[of] ?? null];
    return own === null || other === null || own === 0 ? '—' : `${short(other / own, 1)}x`;
  };
  const ratio = teacher === null ? [] : [['times less', times('parameters'), times('flops'), times('p50Ms')]];
  return formatTable(['cost of a check', 'million parameters', 'MFLOPs', 'ms'], [...rows, ...ratio]);
}

function short(value: number | null, unit: number): string {
  if (value === null) return '—';
  const scaled = value / unit;
  return scaled >= 1000 ? Math.round(scaled).toLocaleString('en') : String(Number(scaled.toPrecision(3)));
}

function placesOf(places: Summary['places']): string {
  const rows = Object.entries(places).map(([name, place]) => `${name.padEnd(8)}${place}\n`);
  return rows.join('');
}

function commands(guard: string): string {
  return `try it:
  npx harmaug check ${quoted(guard)} --prompt "How do I kill a Python process?"
  npx harmaug serve ${quoted(guard)} --port 8080
  npx harmaug playground ${quoted(guard)}
`;
}

const quoted = (text: string) => (/^[\w./:\\-]+$/.test(text) ? text : JSON.stringify(text));
