/** Our side: the provider that every stage uses, kept busy with as many calls as are allowed at once. */
import { dialects } from '../../packages/harmaug/src/providers/openai/dialects.ts';
import { createOpenAiProvider } from '../../packages/harmaug/src/providers/openai/provider.ts';
import { createTransport } from '../../packages/harmaug/src/providers/openai/transport.node.ts';
import type { Drive, DriveSide } from './case.ts';
import { promptOf } from './case.ts';

export function openOurs(endpoint: string, inFlight: number): DriveSide {
  const provider = createOpenAiProvider({
    dialect: dialects.vllm,
    endpoints: [endpoint],
    model: 'loopback',
    transport: createTransport({ connections: inFlight }),
    concurrency: inFlight,
  });

  async function drive(calls: number, rssMiB: number[] = []): Promise<number> {
    let next = 0;
    let tokens = 0;
    const worker = async () => {
      while (next < calls) {
        const index = next++;
        if (index % Math.ceil(calls / 20) === 0) rssMiB.push(process.memoryUsage.rss() / 2 ** 20);
        const messages = [{ role: 'user', content: promptOf(index) }] as const;
        const input = { kind: 'chat', messages } as const;
        const request = { id: `row-${index}`, input, maxTokens: 64, temperature: 1 };
        const { usage } = await provider.generate(request);
        tokens += usage.completionTokens;
      }
    };
    await Promise.all(Array.from({ length: Math.min(inFlight, calls) }, worker));
    return tokens;
  }

  return {
    name: 'harmaug',
    async run(calls): Promise<Drive> {
      await drive(inFlight); // connections
      const rssMiB: number[] = [];
      const [cpu, start] = [process.cpuUsage(), performance.now()];
      const tokens = await drive(calls, rssMiB);
      const ms = performance.now() - start;
      const { user, system } = process.cpuUsage(cpu);
      if (tokens !== calls * 24)
        throw new Error(`internal: ${calls} calls brought ${tokens} tokens, expected 24 each.`);
      return { ms, cpuMs: (user + system) / 1000, rssMiB };
    },
    dispose: () => provider.dispose(),
  };
}
