/** Questions in a terminal, one line each. Numbers choose from a list, so that screen readers and plain terminals do. */
import { createInterface } from 'node:readline/promises';
import type { Readable, Writable } from 'node:stream';

export interface Asker {
  /** A line of text; empty gives the default. Asked again while `check` has something to say. */
  readonly text: (question: string, standard: string, check?: (answer: string) => string | null) => Promise<string>;
  /** One of the options, by its number or its name. */
  readonly choice: <Name extends string>(question: string, options: Readonly<Record<Name, string>>) => Promise<Name>;
  readonly close: () => void;
}

/** @throws Error where the input ends, or Ctrl-C was pressed */
export function openAsker(input: Readable, output: Writable): Asker {
  const lines = createInterface({ input, output, terminal: 'isTTY' in input && input.isTTY === true });
  const ended = Promise.withResolvers<never>();
  ended.promise.catch(() => {}); // told by the question at hand
  lines.once('close', () => ended.reject(new Error('There was no answer. Nothing was written.')));
  lines.once('SIGINT', () => lines.close());
  // lines that come before their question are kept: answers may come from a pipe
  const waiting: string[] = [];
  const wanting: ((line: string) => void)[] = [];
  lines.on('line', (line) => {
    const want = wanting.shift();
    if (want) want(line);
    else waiting.push(line);
  });

  async function ask(question: string): Promise<string> {
    output.write(question);
    const line = waiting.shift();
    if (line !== undefined) return line.trim();
    const next = new Promise<string>((resolve) => wanting.push(resolve));
    return (await Promise.race([next, ended.promise])).trim();
  }

  async function text(question: string, standard: string, check?: (answer: string) => string | null): Promise<string> {
    for (;;) {
      const answer = (await ask(`${question} ${standard === '' ? '' : `[${standard}] `}`)) || standard;
      const problem = check?.(answer) ?? null;
      if (problem === null) return answer;
      output.write(`  ${problem}\n`);
    }
  }

  return {
    text,
    async choice<Name extends string>(question: string, options: Readonly<Record<Name, string>>): Promise<Name> {
      const names = Object.keys(options) as Name[];
      const lines = names.map((name, index) => `  ${index + 1}  ${options[name]}\n`);
      output.write(`${question}\n${lines.join('')}`);
      const find = (answer: string) => names.find((name, index) => answer === name || answer === String(index + 1));
      const answer = await text('Number:', '1', (given) =>
        find(given) === undefined ? `Expected a number from 1 to ${names.length}.` : null,
      );
      return find(answer)!;
    },
    close: () => lines.close(),
  };
}
