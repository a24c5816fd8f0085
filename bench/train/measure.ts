/** One measurement: both sides opened, their turns taken, the rows worked out. */
import type { FixedRun, Ours, RealCase } from '../ours/train.ts';
import { makeRow, type Row } from '../report.ts';
import { median, type ProgressStream, type Side, takeTurns, timed, WARM_UP } from '../rounds.ts';
import type { Measurement } from './cases.ts';
import type { TrainPeer } from './peer.ts';

const STEPS_PER_TURN = 3; // fixed rows
export const BATCHES_PER_TURN = 4; // real rows

export interface TrainOptions {
  /** Only rows whose name contains this. */
  readonly cases: string;
  readonly rounds: number;
  readonly threads: number;
  /** Real rows over a whole epoch, with its mean loss, instead of a part that stands for it; float32 only. */
  readonly epoch: boolean;
  /** Folder of MiniLM's weights, JSONL file of prompts; absent: the real rows are left out. */
  readonly minilm?: string | undefined;
  readonly data?: string | undefined;
}

/** Both sides, and what a test would rather not do. */
export interface TrainSetup {
  readonly ours: Ours;
  readonly peer: TrainPeer | null;
  readonly measureGemm: (threads: number) => Promise<number>;
  readonly pauseMs: number;
  readonly stderr: ProgressStream;
}

/** A row that a measurement gives: its name and the peer's precision. */
export interface Variant {
  readonly name: string;
  readonly autocast: boolean;
}

type Fixed = Measurement & { kind: 'fixed' };
type Real = Measurement & { kind: 'real' };

export async function measureFixed(
  { fixed, withPeer }: Fixed,
  variants: readonly Variant[],
  { rounds }: TrainOptions,
  setup: TrainSetup,
  onTurn: (round: number) => void,
  gemm: number,
): Promise<Row[]> {
  const peer = withPeer ? setup.peer : null;
  const run = await setup.ours.openFixed(fixed);
  const float = fixed.precision === 'int8' ? await setup.ours.openFixed({ ...fixed, precision: 'float32' }) : null;
  const about = await peer?.openFixed(fixed);
  assertSameSize(run.parameters, about?.parameters);
  const ourMs: number[] = [];
  const peerMs = variants.map((): number[] => []);
  const floatMs: number[] = [];
  const floatSides = float ? [stepSide(float, floatMs)] : [];
  const peerSides = variants.map(({ autocast }, index): Side => {
    return async (round) => {
      const ms = await peer!.steps(STEPS_PER_TURN, autocast);
      if (round !== WARM_UP) peerMs[index]!.push(...ms);
    };
  });
  const sides = [stepSide(run, ourMs), ...floatSides, ...(peer ? peerSides : [])];
  await takeTurns(sides, rounds, { pauseMs: setup.pauseMs, onTurn });
  await run.dispose();
  await float?.dispose();
  await peer?.close();
  const stepMs = median(ourMs);
  const beside = float ? { float32Ms: median(floatMs), timesFloat32: median(floatMs) / stepMs } : {};
  const gemmShare = run.flops / stepMs / 1e6 / gemm; // of the rate of a bare product
  return variants.map(({ name }, index) =>
    makeRow({
      case: name,
      metric: 'step',
      unit: 'ms',
      ours: stepMs,
      peers: peer ? { [peer.name]: median(peerMs[index]!) } : {},
      better: 'lower',
      details: { gemmShare, ...beside, msPerThousandTokens: (stepMs / (fixed.batch * fixed.length)) * 1000 },
    }),
  );
}

/** Steps of ours, timed into `times`. */
function stepSide(run: FixedRun, times: number[]): Side {
  return async (round) => {
    for (let step = 0; step < STEPS_PER_TURN; step++) {
      const { ms } = await timed(() => run.step());
      if (round !== WARM_UP) times.push(ms);
    }
  };
}

export async function measureReal(
  { grouped }: Real,
  variants: readonly Variant[],
  { rounds, threads, epoch, minilm, data }: TrainOptions,
  setup: TrainSetup,
  onTurn: (round: number) => void,
): Promise<Row[]> {
  const { peer } = setup;
  const real: RealCase = { model: minilm!, data: data!, batch: 32, maxLength: 512, threads };
  const limit = epoch ? undefined : rounds * BATCHES_PER_TURN;
  const run = await setup.ours.openReal(real, limit);
  const about = await peer?.openReal(real, grouped, limit);
  assertSameSize(run.parameters, about?.parameters);
  const share = (batches: number, round: number) => batchesOf(round, batches, rounds, epoch);
  const ourTotal = new Total();
  const peerTotals = variants.map(() => new Total());
  const ourSide: Side = async (round) => {
    for (const index of share(run.batches, round)) {
      const { ms, result } = await timed(() => run.train(index));
      if (round !== WARM_UP) ourTotal.add(ms, result.samples, result.loss);
    }
  };
  const peerSides = variants.map(({ autocast }, side): Side => {
    return async (round) => {
      const { ms, samples, loss } = await peer!.batches(share(about!.batches, round), autocast);
      if (round === WARM_UP) return;
      for (const [i, time] of ms.entries()) peerTotals[side]!.add(time, samples[i]!, loss[i]!);
    };
  });
  await takeTurns(peer ? [ourSide, ...peerSides] : [ourSide], rounds, { pauseMs: setup.pauseMs, onTurn });
  await run.dispose();
  await peer?.close();
  return variants.map(({ name }, index) =>
    makeRow({
      case: name,
      metric: 'throughput',
      unit: 'samples/s',
      ours: ourTotal.samplesPerSecond,
      peers: peer ? { [peer.name]: peerTotals[index]!.samplesPerSecond } : {},
      better: 'higher',
      details: {
        computedPerRealToken: run.computedPerReal,
        ...(about && { peerComputedPerRealToken: about.computedPerReal }),
        ...(epoch && { epochLoss: ourTotal.meanLoss }),
        ...(epoch && peer && { peerEpochLoss: peerTotals[index]!.meanLoss }),
      },
    }),
  );
}

/** Unlike is never compared with unlike: both sides train the same number of parameters. */
function assertSameSize(ours: number, peers: number | undefined): void {
  if (peers === undefined || peers === ours) return;
  throw new Error(`The models differ: ours has ${ours} parameters, the peer's ${peers}.`);
}

/** Samples over time, and their mean loss. Batches differ in length by design, so totals and no medians. */
class Total {
  #ms = 0;
  #samples = 0;
  #loss = 0;

  add(ms: number, samples: number, meanLoss: number): void {
    this.#ms += ms;
    this.#samples += samples;
    this.#loss += meanLoss * samples;
  }

  get samplesPerSecond(): number {
    return (this.#samples / this.#ms) * 1000;
  }

  get meanLoss(): number {
    return this.#loss / this.#samples;
  }
}

/**
 * The batches of one round. A part that stands for the epoch is sorted by cost: each round takes every n-th, and the
 * warm-up the middle one. A whole epoch runs in its own order, with no warm-up, which would be training on top.
 */
export function batchesOf(round: number, batches: number, rounds: number, epoch: boolean): number[] {
  const all = Array.from({ length: batches }, (_, index) => index);
  if (round === WARM_UP) return epoch ? [] : all.slice(batches >> 1, (batches >> 1) + 1);
  if (epoch) return all.slice(Math.floor((round * batches) / rounds), Math.floor(((round + 1) * batches) / rounds));
  return all.filter((index) => index % rounds === round);
}
