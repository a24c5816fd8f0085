/** `harmaug sweep`: a recipe's settings, each from several seeds, in one table. */
import { planSweep, type SweepPlan } from '../sweep/plan.node.ts';
import { type CellPlace, runSweep, type SweepEvent } from '../sweep/sweep.node.ts';
import { type CommandIo, defineCommand } from './command.node.ts';
import { UsageError } from './flags.node.ts';
import { hubOptions } from './hub-options.node.ts';
import { openSet } from './open-set.node.ts';
import { timeLeft } from './reporter.ts';
import { formatSweep } from './sweep-table.ts';
import { formatTable } from './table.ts';

export const sweepCommand = defineCommand({
  summary: 'distil and measure every setting of a grid, over several seeds, and compare them',
  positional: ['<recipe>'],
  flags: {
    out: {
      kind: 'text',
      value: '<folder>',
      help: 'where cells and result go; started again, it goes on',
      isRequired: true,
    },
    plan: { kind: 'flag', help: 'list the cells and train none' },
    budgetMinutes: { kind: 'number', help: 'over which it is not begun; that of the recipe' },
    force: { kind: 'flag', help: 'begin all the same' },
    seed: { kind: 'numbers', help: 'in place of those of the recipe' },
    limit: { kind: 'number', help: 'rows to read of each set, for a quick try' },
    checkpointSeconds: { kind: 'number', help: 'between checkpoints of a cell; 60' },
    device: { kind: 'text', choices: ['cpu', 'webgpu'], help: 'cpu' },
    threads: { kind: 'number', help: 'of the CPU; all cores' },
  },
  notes: `The recipe's section "sweep" says what all settings share and where they differ; section "distill" has the settings of
the loss and its steps. A cell is one setting with one seed; what is made is never made again, unless its settings or its
data have changed. The result is <out>/sweep.json, which "harmaug report" draws.

  harmaug sweep recipes/ablations.yaml --out sweeps/ablations --plan
  harmaug sweep recipes/ablations.yaml --out sweeps/ablations --budget-minutes 600`,

  async run(values, io, [recipe]) {
    const { out, plan: isPlanOnly, budgetMinutes, force, seed: seeds, limit, threads } = values;
    if (budgetMinutes !== undefined && !(budgetMinutes > 0))
      throw new UsageError(`--budget-minutes: expected a number over 0, got ${budgetMinutes}.`);
    if (limit !== undefined && !(Number.isInteger(limit) && limit > 0))
      throw new UsageError(`--limit: expected a whole number over 0, got ${limit}.`);
    const { checkpointSeconds } = values;
    if (checkpointSeconds !== undefined && !(checkpointSeconds >= 0))
      throw new UsageError(`--checkpoint-seconds: expected a number from 0, got ${checkpointSeconds}.`);
    const hub = hubOptions(io);
    const device = values.device === undefined ? {} : { device: values.device as 'cpu' };
    const plan = await planSweep({
      ...{ recipe: recipe!, out, overrides: { seeds, limit, budgetMinutes }, hub },
      ...device,
      openSet: (name) => openSet(name, asTheyAre, io),
    });
    if (isPlanOnly) return { json: planAsJson(plan), text: formatPlan(plan) };
    const result = await runSweep({
      ...{ plan, recipe: recipe!, hub, force, signal: io.signal },
      ...device,
      ...(threads === undefined ? {} : { threads }),
      ...(checkpointSeconds === undefined ? {} : { checkpointEveryMs: 1000 * checkpointSeconds }),
      onEvent: (event) => reportSweep(event, io),
    });
    if (result === null) {
      return {
        json: { kind: 'sweep', isFinished: false },
        text: 'Stopped. The same command goes on from there.\n',
        exitCode: 1,
      };
    }
    const isWhole = result.cells.every(({ state }) => state === 'done');
    return { json: result, text: formatSweep(result), exitCode: isWhole ? 0 : 1 };
  },
});

type CellEvent = Extract<SweepEvent, CellPlace>;
type WithinEvent = Extract<SweepEvent, { kind: 'within' }>['event'];

const asTheyAre = { format: undefined, columns: undefined, limit: undefined };

function planAsJson({ cells, states, about }: SweepPlan) {
  return {
    sets: about,
    cells: cells.map(({ setting, seed, rows, folder }, index) => ({
      ...{ setting: setting.name, values: setting.values, seed, state: states[index], folder },
      ...{ rows: rows.seed.rows.length, syntheticRows: rows.synthetic.rows.length },
    })),
  };
}

function formatPlan({ cells, states, about }: SweepPlan): string {
  const rows = cells.map(({ setting, seed, rows: { seed: labelled, synthetic } }, index) => {
    return [setting.name, String(seed), labelled.rows.length, synthetic.rows.length, states[index]!];
  });
  const sets = about.map(({ name, version, rows: count, unsafe }) => {
    return [name, version === null ? '—' : `version ${version}`, count, unsafe];
  });
  return [
    formatTable(['setting', 'seed', 'rows', 'synthetic', 'state'], rows),
    formatTable(['measured on', '', 'rows', 'unsafe'], sets),
  ].join('\n');
}

export function reportSweep(event: SweepEvent, io: Pick<CommandIo, 'say' | 'progress'>): void {
  if (event.kind === 'estimate') {
    const { cells, minutes, unknown } = event;
    const more = unknown === 0 ? '' : `, without ${unknown} that cannot be estimated`;
    io.say(
      `${cells} ${cells === 1 ? 'cell' : 'cells'} to do, about ${minutes.toFixed(minutes < 10 ? 1 : 0)} minutes${more}`,
    );
  } else if (event.kind === 'comparing') {
    io.progress('comparing');
  } else {
    reportCell(event, `${event.number}/${event.of} ${event.setting}, seed ${event.seed}`, io);
  }
}

function reportCell(event: CellEvent, place: string, io: Pick<CommandIo, 'say' | 'progress'>): void {
  if (event.kind === 'cell-start') io.progress(`${place}: reading`);
  else if (event.kind === 'cell-end') io.say(`${place}: done in ${event.seconds.toFixed(0)} s`);
  else if (event.kind === 'cell-failed') io.say(`${place}: failed. ${event.message}`);
  else reportWithin(event.event, place, io);
}

function reportWithin(event: WithinEvent, place: string, { say, progress }: Pick<CommandIo, 'say' | 'progress'>): void {
  if (event.kind === 'resumed') {
    say(`${place}: goes on from step ${event.step}`);
  } else if (event.kind === 'scoring') {
    progress(`${place}: ${event.set}, ${event.done} of ${event.rows} rows`);
  } else if (event.kind === 'step') {
    const { step, totalSteps, loss, leftMs } = event;
    progress(`${place}: step ${step}/${totalSteps}, loss ${loss.toFixed(3)}, ${timeLeft(leftMs)}`);
  }
}
