/** A run's learning curve: what was learned from, and how validation went. */

export interface StepPoint {
  readonly kind: 'step';
  readonly step: number;
  /** Counts from 0. */
  readonly epoch: number;
  readonly loss: number;
  readonly gradNorm: number;
  readonly learningRate: number;
}

export interface ValidationPoint {
  readonly kind: 'validation';
  readonly step: number;
  readonly epoch: number;
  readonly auprc: number | null;
  readonly f1: number | null;
}

export type CurvePoint = StepPoint | ValidationPoint;
