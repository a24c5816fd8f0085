/** What a command of the CLI is: a table of flags and a function from their values to a result. */
import type { Flags, FlagValues } from './flags.node.ts';

/** What a command may touch. Results go to stdout through its return value or `write`; `say` writes progress to stderr. */
export interface CommandIo {
  /** Part of a result that another program waits for, to stdout at once. */
  readonly write: (text: string) => void;
  /** A whole line, to keep. */
  readonly say: (line: string) => void;
  /** A line that the next one replaces: progress. In a log it appears now and then. */
  readonly progress: (line: string) => void;
  /** Ctrl-C. */
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface CommandResult {
  /** What `--json` prints. */
  readonly json: unknown;
  /** What is printed without it. */
  readonly text: string;
  /** Whether `write` has written everything: then nothing is printed, with `--json` or without. */
  readonly isWritten?: boolean;
  /** Default 0. */
  readonly exitCode?: 0 | 1;
}

export interface Command<Table extends Flags = Flags> {
  readonly summary: string;
  /** Arguments without a flag, as the help shows them: `<recipe>`. */
  readonly positional?: readonly string[];
  readonly flags: Table;
  /** Further lines of the help: examples. */
  readonly notes?: string;
  readonly run: (values: FlagValues<Table>, io: CommandIo, positionals: readonly string[]) => Promise<CommandResult>;
}

/** Keeps the flags' own types. */
export function defineCommand<const Table extends Flags>(command: Command<Table>): Command<Table> {
  return command;
}
