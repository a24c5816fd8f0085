/** The miniatures as recipes use them: through llama.cpp in this process, and as a student. */
import path from 'node:path';
import { mulberry32 } from '@harmaug/models';
import { loadModel } from '@harmaug/models/node';
import { afterAll, describe, expect, it } from 'vitest';
import { readRows } from '../../packages/harmaug/src/data/read.node.ts';
import { openLlamaCppProvider } from '../../packages/harmaug/src/providers/llama-cpp/provider.node.ts';
import { askFor, conversation, defaultAsking, defaultSystems } from '../../packages/harmaug/src/stages/prompts.ts';
import { isRefusal } from '../../packages/harmaug/src/stages/refusals.ts';
import { createLlmTeacher } from '../../packages/harmaug/src/teachers/llm-teacher.ts';
import type { Message } from '../../packages/harmaug/src/templates/render.ts';
import { miniaturePool } from './build.node.ts';
import { readPool } from './pool.node.ts';

const root = path.resolve(import.meta.dirname, '../..');
const models = path.join(root, 'models/miniature');
const open = (name: string) =>
  openLlamaCppProvider({ model: path.join(models, `${name}.gguf`), gpu: false, threads: 1, contextSize: 400 });

const CALLS = 40;
const pool = miniaturePool();
const { rows: test } = await readRows([path.join(root, 'samples/test.jsonl')]);

describe('the generator', async () => {
  const provider = await open('generator');
  afterAll(() => provider.dispose());

  /** @returns what it wrote behind the prefix */
  const ask = (prefix: string) =>
    Promise.all(
      Array.from({ length: CALLS }, async (_, call) => {
        const { prompts } = defaultAsking.harmful;
        const exemplars = test.filter(({ label }) => label === 1).slice(call, call + (call % 4));
        const { category } = pool[call % pool.length]!;
        const messages = askFor({ prompt: prompts[call % prompts.length]!, category, exemplars });
        const input = { kind: 'chat', messages } as const;
        return await provider.generate({ id: `${call}`, input, prefix, maxTokens: 60, temperature: 1, seed: call });
      }),
    );

  it('refuses when it is asked, and writes when its reply has begun', async () => {
    const refused = (await ask('')).filter(({ text }) => isRefusal(text)).length / CALLS;
    expect(refused).toBeGreaterThan(0.8);
    const written = await ask(defaultAsking.harmful.prefix);
    expect(written.filter(({ text }) => isRefusal(text.trim())).length / CALLS).toBeLessThan(0.05);
    expect(written.filter(({ finishReason }) => finishReason === 'stop').length / CALLS).toBeGreaterThan(0.9);
    expect(new Set(written.map(({ text }) => text)).size).toBeGreaterThan(0.9 * CALLS);
  });
});

describe('the responder', async () => {
  const provider = await open('responder');
  afterAll(() => provider.dispose());

  const reply = async (messages: readonly Message[], prefix = '') => {
    const input = { kind: 'chat', messages } as const;
    return (await provider.generate({ id: 'a', input, prefix, maxTokens: 80, temperature: 0.7, seed: 5 })).text;
  };

  it('declines when it is told to be careful and complies when it is told to help', async () => {
    const asked = test.filter(({ label, response }) => label === 1 && response === undefined).slice(0, CALLS);
    const careful = await Promise.all(asked.map(({ prompt }) => reply(conversation(defaultSystems.refusal, prompt))));
    expect(careful.filter(isRefusal).length / asked.length).toBeGreaterThan(0.75);
    const helpful = await Promise.all(
      asked.map(({ prompt }) => reply(conversation(defaultSystems.compliant, prompt), 'Sure, here is')),
    );
    expect(helpful.filter((text) => isRefusal(text.trim()))).toEqual([]);
  });
});

describe('the teacher', async () => {
  const provider = await open('teacher');
  const teacher = createLlmTeacher('llama-guard-3-8b', provider);
  afterAll(() => teacher.dispose());

  const judge = async (rows: readonly { id: string; prompt: string; response?: string; label?: 0 | 1 }[]) => {
    const verdicts = await Promise.all(rows.map((row) => teacher.judge(row)));
    return verdicts.map((verdict, at) => {
      if (verdict.kind !== 'scored') throw new Error(`row ${rows[at]!.id}: no verdict`);
      return { ...verdict, isUnsafe: rows[at]!.label === 1 };
    });
  };

  it('knows instructions that are put together anew, and names their category', async () => {
    const fresh = readPool(6, mulberry32(99)).flatMap(({ code, instructions }) =>
      Object.entries(instructions).flatMap(([kind, texts]) =>
        texts.map((prompt, at) => ({ id: `${code}-${at}`, code, prompt, label: kind === 'harmful' ? 1 : 0 }) as const),
      ),
    );
    const verdicts = await judge(fresh);
    const right = verdicts.filter(({ logOdds, isUnsafe }) => logOdds > 0 === isUnsafe);
    expect(right.length / fresh.length).toBeGreaterThan(0.9);
    const named = verdicts.flatMap(({ category }, at) => (category === null ? [] : [category === fresh[at]!.code]));
    expect(named.filter(Boolean).length / named.length).toBeGreaterThan(0.9);
  });

  it('ranks unsafe texts written by hand above safe ones, more often than not', async () => {
    const verdicts = await judge(test.filter((_, at) => at % 3 === 0));
    const of = (isUnsafe: boolean) => verdicts.filter((verdict) => verdict.isUnsafe === isUnsafe);
    const pairs = of(true).flatMap((unsafe) => of(false).map((safe) => unsafe.logOdds > safe.logOdds));
    expect(pairs.filter(Boolean).length / pairs.length).toBeGreaterThan(0.6);
  });
});

describe('the student', () => {
  it('loads as a classifier with a fresh head', async () => {
    const folder = path.join(models, 'student');
    const options = { head: 'sequence-classification', labels: 2, initialiseHead: true, seed: 1 } as const;
    const { tokenizer, model, fresh } = await loadModel(folder, options);
    expect(tokenizer.vocabSize).toBeLessThanOrEqual(model.config.vocabSize);
    expect(fresh.some((name) => name.startsWith('classifier'))).toBe(true);
    expect(tokenizer.decode(tokenizer.tokenize('How do I bake a cake?')).trim()).toBe('how do i bake a cake?');
  });
});
