import { describe, expect, it } from 'vitest';
import { describeFlags, type Flags, parseFlags, suggest, UsageError } from './flags.node.ts';

const table = {
  train: { kind: 'texts', value: '<file>', help: 'labelled rows', isRequired: true },
  out: { kind: 'text', value: '<folder>', help: 'where it goes' },
  learningRate: { kind: 'number', help: 'peak rate' },
  seed: { kind: 'numbers', help: 'one for each' },
  keep: { kind: 'text', choices: ['last', 'best'], help: 'which' },
  json: { kind: 'flag', help: 'as JSON' },
  help: { kind: 'flag', help: 'this text' },
} as const satisfies Flags;

const values = (...argv: string[]) => parseFlags(table, argv).values;
const problem = (...argv: string[]) => {
  try {
    parseFlags(table, argv);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as Error).message;
  }
  return null;
};

describe('flags', () => {
  it('take values of their kind, several after one flag or the flag several times', () => {
    const found = values(
      '--train',
      'a',
      'b',
      '--learning-rate',
      '3e-5',
      '--seed=1',
      '--seed',
      '2',
      '3',
      '--json',
      '--train=c',
    );
    expect(found).toEqual({
      ...{ train: ['a', 'b', 'c'], learningRate: 3e-5, seed: [1, 2, 3], json: true, help: false },
      ...{ out: undefined, keep: undefined },
    });
  });

  it('take a negative number after =', () => {
    expect(values('--train', 'a', '--learning-rate=-1').learningRate).toBe(-1);
  });

  it.each([
    [['--train', 'a', '--learing-rate', '1'], 'Unknown flag --learing-rate. Did you mean --learning-rate?'],
    [['--train', 'a', '--xyz'], 'Unknown flag --xyz.'],
    [[], '--train is missing: labelled rows.'],
    [['--train', 'a', '--out'], '--out needs a value: <folder>.'],
    [['--train', 'a', '--out', 'x', '--out', 'y'], '--out is given twice.'],
    [['--train', 'a', '--seed', 'one'], '--seed: expected a number, got "one".'],
    [['--train', 'a', '--learning-rate', ''], '--learning-rate: expected a number, got "".'],
    [['--train', 'a', '--keep', 'bset'], '--keep: "bset" is not one of last, best. Did you mean best?'],
    [['--train', 'a', '--out', 'x', 'y'], '"y" belongs to no flag.'],
    [['--train', 'a', '--json=yes'], '--json takes no value.'],
  ])('%j is refused with one line', (argv, message) => {
    expect(problem(...argv)).toBe(message);
  });

  it('are not missing where help is asked for', () => {
    expect(values('--help').help).toBe(true);
  });

  it('leave what has none to the command, which names it', () => {
    expect(parseFlags(table, ['guard', '--train', 'a'], ['<folder>']).positionals).toEqual(['guard']);
    expect(() => parseFlags(table, ['--train', 'a'], ['<folder>'])).toThrow('<folder> is missing.');
  });

  it('describe themselves', () => {
    expect(describeFlags(table).split('\n').slice(0, 3)).toEqual([
      '  --train <file> …     labelled rows (needed)',
      '  --out <folder>       where it goes',
      '  --learning-rate <n>  peak rate',
    ]);
  });
});

it('suggests only what is close', () => {
  expect(suggest('evalute', ['distill', 'evaluate'])).toBe(' Did you mean evaluate?');
  expect(suggest('banana', ['distill', 'evaluate'])).toBe('');
});
