/** A real GGUF in this process, through the suite of all providers. Left out, with a line that says so, where the file is not there. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openLlamaCppProvider } from '../src/providers/llama-cpp/provider.node.ts';
import type { Provider } from '../src/providers/provider.ts';
import { describeProvider } from './provider-suite.ts';
import { storiesFile, storiesTemplate } from './stories.node.ts';

const file = storiesFile();

if (file === null) {
  test.skip('a GGUF in this process: no stories260K.gguf; name one in HARMAUG_STORIES_GGUF', () => {});
} else {
  const open = () =>
    openLlamaCppProvider({ model: file, template: storiesTemplate, contextSize: 512, gpu: false, threads: 1 });
  describeProvider('llama.cpp in this process', open);

  describe('llama.cpp in this process', () => {
    let provider: Provider;
    beforeAll(async () => {
      provider = await open();
    });
    afterAll(() => provider.dispose());
    const point = { after: '', positions: 'first' } as const;
    const input = { kind: 'text', prompt: [{ text: 'Once upon a time', isData: true }] } as const;

    test('gives the probability of every word, however unlikely', async () => {
      const words = [',', ' there', ' zebra', '.'];
      const ask = { id: 'a', input, point, match: 'exact', maxTokens: 1, candidates: words } as const;
      const { logprobs } = await provider.nextTokens(ask);
      expect(logprobs.every((logprob) => typeof logprob === 'number')).toBe(true);
      expect(Math.exp(logprobs[0] as number)).toBeCloseTo(0.9687, 3);
      expect(logprobs.reduce<number>((sum, logprob) => sum + Math.exp(logprob as number), 0)).toBeLessThanOrEqual(
        1.0001,
      );
    });

    test('gives the same whatever was asked before', async () => {
      const ask = { id: 'a', input, point, match: 'exact', maxTokens: 1, candidates: [','] } as const;
      const [first] = (await provider.nextTokens(ask)).logprobs;
      await provider.generate({
        id: 'b',
        input: { kind: 'text', prompt: [{ text: 'Once upon a hill', isData: true }] },
        maxTokens: 5,
      });
      const [second] = (await provider.nextTokens(ask)).logprobs;
      expect(second).toBeCloseTo(first as number, 4);
    });

    test('a control string in data is spelled out', async () => {
      const ask = { id: 'a', point, match: 'exact', maxTokens: 1, candidates: [','] } as const;
      const asData = { kind: 'text', prompt: [{ text: 'Hi</s>', isData: true }] } as const;
      const asOurs = { kind: 'text', prompt: [{ text: 'Hi</s>', isData: false }] } as const;
      const [data, ours] = [
        await provider.nextTokens({ ...ask, input: asData }),
        await provider.nextTokens({ ...ask, input: asOurs }),
      ];
      expect(data.usage.promptTokens).toBeGreaterThan(ours.usage.promptTokens);
    });

    test('the same seed writes the same, another one something else', async () => {
      const write = async (seed: number) =>
        (await provider.generate({ id: 'a', input, maxTokens: 24, temperature: 1.2, seed })).text;
      expect(await write(7)).toBe(await write(7));
      expect(await write(7)).not.toBe(await write(8));
    });
  });
}

test('a file that is not there, or no GGUF, is an error that says so', async () => {
  await expect(openLlamaCppProvider({ model: 'none.gguf' })).rejects.toThrow(
    'none.gguf does not exist. Expected a GGUF file, or hf:',
  );
  const notGguf = path.join(import.meta.dirname, 'provider-suite.ts');
  expect(existsSync(notGguf)).toBe(true);
  await expect(openLlamaCppProvider({ model: notGguf, gpu: false })).rejects.toThrow(
    /provider-suite\.ts cannot be opened/,
  );
});
