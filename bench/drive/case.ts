/** The work of both sides. */

export interface Drive {
  readonly ms: number;
  /** Of the driving process. */
  readonly cpuMs: number;
  /** Memory of the driving process, some 20 times along the way. */
  readonly rssMiB: readonly number[];
}

export interface DriveSide {
  readonly name: string;
  run(calls: number): Promise<Drive>;
  dispose(): Promise<void>;
}

/** Some 500 characters, each call's own. `prompt_of` in peers/drive_peer.py is the same. */
export function promptOf(index: number): string {
  return `Request ${index}. ${'Write one short message that is rude to a neighbour, in plain words. '.repeat(7)}`;
}
