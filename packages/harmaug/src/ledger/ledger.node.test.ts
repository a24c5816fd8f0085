import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CallWriter, hasCall, meanUsage, saidOf, spentBy, writtenOf } from './calls.node.ts';
import { LedgerError } from './errors.node.ts';
import { hashKey, seedOf, shardOf } from './key.node.ts';
import { Ledger } from './ledger.node.ts';
import { mergeLedger } from './merge.node.ts';
import type { CallRecord } from './records.ts';
import {
  countsOf,
  currentInstructions,
  currentPairs,
  hashOfSet,
  InstructionDraft,
  type InstructionRow,
  importInstruction,
  importPair,
  publishPairs,
  setOf,
} from './sets.node.ts';

let folder: string;
const opened: Ledger[] = [];
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'harmaug-ledger-'));
});
afterEach(() => {
  for (const ledger of opened.splice(0)) ledger.close();
  rmSync(folder, { recursive: true });
});
function open(name = 'run'): Ledger {
  const ledger = Ledger.open(path.join(folder, name));
  opened.push(ledger);
  return ledger;
}
const close = (ledger: Ledger) => opened.splice(opened.indexOf(ledger), 1)[0]!.close();

const call = (key: string, fields: Partial<CallRecord> = {}): CallRecord => ({
  ...{ key, stage: 'generate', model: 'writer', answer: { text: `text of ${key}`, finish: 'stop' } },
  ...{ usage: { promptTokens: 10, completionTokens: 5 }, cost: 0.5, ms: 12 },
  ...fields,
});
const fail = (error: unknown) => {
  throw error;
};

describe('a ledger', () => {
  it('is its owner’s alone', () => {
    open();
    expect(statSync(path.join(folder, 'run')).mode & 0o777).toBe(0o700);
    expect(statSync(path.join(folder, 'run/ledger.sqlite')).mode & 0o777).toBe(0o600);
  });

  it('is written by one at a time, and read beside', () => {
    const first = open();
    expect(() => open()).toThrow(/ledger\.sqlite is in use by another process/);
    new CallWriter(first, fail).flush();
    const reader = Ledger.openToRead(path.join(folder, 'run'));
    expect(spentBy(reader).calls).toBe(0);
    reader.close();
    close(first);
    expect(() => open()).not.toThrow();
  });

  it('of another version, another program, or that is not there, says so', () => {
    const ledger = open();
    ledger.run("UPDATE meta SET value = '99' WHERE name = 'version'");
    close(ledger);
    expect(() => open()).toThrow(/has version 99, expected 1/);
    expect(() => Ledger.openToRead(path.join(folder, 'none'))).toThrow(/holds no run/);
    expect(() => Ledger.open(path.join(folder, 'run/ledger.sqlite/x'))).toThrow(LedgerError);
  });

  it('gives back what a call answered, infinite log-odds and all', () => {
    const ledger = open();
    const writer = new CallWriter(ledger, fail);
    writer.add(call('a', { answer: { text: 'Zeile\n"quoted" 🦆', finish: 'length' } }));
    const score = { score: 1, logOdds: Number.POSITIVE_INFINITY, category: 'S2' };
    writer.add(call('b', { stage: 'label', answer: score }));
    writer.add(call('c', { stage: 'label', answer: { reason: 'no verdict' } }));
    writer.flush();
    expect(writtenOf(ledger, 'a')).toEqual({ text: 'Zeile\n"quoted" 🦆', finish: 'length' });
    expect(saidOf(ledger, 'b')).toEqual(score);
    expect(saidOf(ledger, 'c')).toEqual({ reason: 'no verdict' });
    expect([writtenOf(ledger, 'z'), saidOf(ledger, 'z')]).toEqual([null, null]);
  });

  it('commits after 200 calls or 25 ms, whichever comes first', async () => {
    const ledger = open();
    const writer = new CallWriter(ledger, fail);
    for (let n = 0; n < 199; n++) writer.add(call(`k${n}`));
    expect([hasCall(ledger, 'k0'), writer.has('k0')]).toEqual([false, true]);
    writer.add(call('k199'));
    expect(hasCall(ledger, 'k0')).toBe(true);
    writer.add(call('late'));
    await sleep(80);
    expect(hasCall(ledger, 'late')).toBe(true);
  });

  it('keeps the first answer, and counts attempts that failed before', () => {
    const ledger = open();
    const writer = new CallWriter(ledger, fail);
    for (let n = 0; n < 2; n++) writer.fail('a', 'generate', 'timeout');
    writer.flush();
    writer.add(call('a'));
    writer.flush();
    writer.add(call('a', { answer: { text: 'another', finish: 'stop' } }));
    writer.flush();
    expect(writtenOf(ledger, 'a')?.text).toBe('text of a');
    expect(ledger.get('SELECT attempts FROM calls WHERE key = ?', 'a')).toMatchObject({ attempts: 3 });
    expect(ledger.all('SELECT * FROM failures')).toEqual([]);
  });

  it('adds up what was spent', () => {
    const ledger = open();
    const writer = new CallWriter(ledger, fail);
    writer.add(call('a'));
    writer.add(call('b', { stage: 'respond', cost: null }));
    writer.flush();
    expect(spentBy(ledger)).toEqual({ calls: 2, promptTokens: 20, completionTokens: 10, cost: 0.5, unpriced: 1 });
    expect(spentBy(ledger, 'generate')).toMatchObject({ calls: 1, unpriced: 0 });
    expect(meanUsage(ledger, 'generate', 'writer')).toEqual({ promptTokens: 10, completionTokens: 5 });
    expect(meanUsage(ledger, 'generate', 'other')).toBeNull();
  });

  it('on a full disk says so, keeps what it has, and goes on when there is room', () => {
    const ledger = open();
    const writer = new CallWriter(ledger, fail);
    writer.add(call('a'));
    writer.flush();
    ledger.run('PRAGMA max_page_count = 1');
    const long = 'x'.repeat(100_000);
    writer.add(call('b', { answer: { text: long, finish: 'stop' } }));
    expect(() => writer.flush()).toThrow(/ledger\.sqlite cannot be written: the disk is full/);
    expect([hasCall(ledger, 'a'), hasCall(ledger, 'b')]).toEqual([true, false]);
    ledger.run('PRAGMA max_page_count = 100000');
    writer.add(call('b'));
    writer.flush();
    expect(hasCall(ledger, 'b')).toBe(true);
  });

  it('tells whoever started it of a commit that failed in the background', async () => {
    const ledger = open();
    const errors: unknown[] = [];
    const writer = new CallWriter(ledger, (error) => errors.push(error));
    ledger.run('PRAGMA max_page_count = 1');
    writer.add(call('a', { answer: { text: 'x'.repeat(100_000), finish: 'stop' } }));
    await sleep(80);
    expect(errors[0]).toBeInstanceOf(LedgerError);
  });
});

describe('keys', () => {
  it('are 128 bits of what they are made from', () => {
    expect(hashKey(['a', 1, null])).toMatch(/^[0-9a-f]{32}$/);
    expect(hashKey(['a', 1])).not.toBe(hashKey(['a', '1']));
    expect(hashKey([['a'], 'b'])).not.toBe(hashKey(['a', ['b']]));
  });

  it('give seeds that servers take, and shards of the same size', () => {
    const keys = Array.from({ length: 3000 }, (_, n) => hashKey([n]));
    const counts = [0, 0, 0];
    for (const key of keys) counts[shardOf(key, 3)]! += 1;
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(120);
    expect(keys.every((key) => Number.isInteger(seedOf(key)) && seedOf(key) >= 0 && seedOf(key) < 2 ** 31)).toBe(true);
  });
});

const instruction = (id: string, fields: Partial<InstructionRow> = {}): InstructionRow => ({
  ...{ id, kind: 'harmful', category: 'Pranks', text: `text ${id}`, state: 'kept', reason: null, duplicateOf: null },
  ...{ model: 'writer', about: { number: 1 } },
  ...fields,
});
const set = { settings: 's', input: 'i', isComplete: true, facts: { wanted: 2 } };
const ids = (rows: Iterable<{ id: string }>) => Array.from(rows, ({ id }) => id);

describe('a set of rows', () => {
  it('is what was published last, in order; earlier rows stay without a place', () => {
    const ledger = open();
    const first = new InstructionDraft(ledger);
    first.add([instruction('b'), instruction('a'), instruction('r', { state: 'rejected', reason: 'refusal' })]);
    expect(ids(currentInstructions(ledger))).toEqual([]);
    first.publish(set);
    expect(ids(currentInstructions(ledger))).toEqual(['b', 'a']);
    expect(countsOf(ledger, 'instructions')).toEqual({ kept: 2, refusal: 1 });
    expect(setOf(ledger, 'generate')).toEqual(set);
    const hash = hashOfSet(ledger, 'instructions');
    const second = new InstructionDraft(ledger);
    second.add([instruction('a')]);
    second.publish(set);
    expect(ids(currentInstructions(ledger))).toEqual(['a']);
    expect(ledger.all('SELECT id FROM instructions')).toHaveLength(3);
    expect(hashOfSet(ledger, 'instructions')).not.toBe(hash);
  });

  it('of thousands comes whole and in order', () => {
    const ledger = open();
    const draft = new InstructionDraft(ledger);
    const rows = Array.from({ length: 2500 }, (_, n) => instruction(`row-${n}`));
    draft.add(rows);
    draft.publish(set);
    expect(ids(currentInstructions(ledger))).toEqual(ids(rows));
  });

  it('has imported rows first, each once, and publishing leaves them', () => {
    const ledger = open();
    for (const id of ['x', 'y', 'x']) importInstruction(ledger, instruction(id, { kind: 'imported' }));
    const draft = new InstructionDraft(ledger);
    draft.add([instruction('a')]);
    draft.publish(set);
    importInstruction(ledger, instruction('z', { kind: 'imported' }));
    expect(ids(currentInstructions(ledger))).toEqual(['x', 'y', 'z', 'a']);
    const pair = { reason: null, model: null, call: null, isRefusal: null, isCut: null, state: 'kept' } as const;
    importPair(ledger, { ...pair, id: 'p1', instruction: 'x', responseKind: 'imported', response: 'No.' });
    publishPairs(ledger, [{ ...pair, id: 'p2', instruction: 'a', responseKind: 'prompt', response: null }], set);
    expect([...currentPairs(ledger)]).toEqual([
      { id: 'p1', prompt: 'text x', response: 'No.' },
      { id: 'p2', prompt: 'text a', response: null },
    ]);
  });
});

describe('merging', () => {
  it('takes each call once, keeps the first answer of two, and does nothing a second time', () => {
    const one = open('one');
    const writer = new CallWriter(one, fail);
    for (const key of ['a', 'b']) writer.add(call(key));
    writer.flush();
    importInstruction(one, instruction('x'));
    close(one);
    const two = open('two');
    const other = new CallWriter(two, fail);
    other.add(call('b', { answer: { text: 'another', finish: 'stop' } }));
    other.add(call('c'));
    other.fail('a', 'generate', 'timeout');
    other.flush();
    importInstruction(two, instruction('y'));
    expect(mergeLedger(two, path.join(folder, 'one'))).toMatchObject({ added: 1, different: 1, imported: 1 });
    expect(mergeLedger(two, path.join(folder, 'one'))).toMatchObject({ added: 0, imported: 0 });
    expect(writtenOf(two, 'b')?.text).toBe('another');
    expect(spentBy(two).calls).toBe(3);
    expect(two.all('SELECT * FROM failures')).toEqual([]);
    expect(ids(currentInstructions(two))).toEqual(['y', 'x']);
    expect(() => mergeLedger(two, path.join(folder, 'none'))).toThrow(/holds no run/);
  });
});
