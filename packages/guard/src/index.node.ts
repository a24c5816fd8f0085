/** The guard in Node, with everything of index.ts. */
import { GuardCore } from './guard.ts';
import { type LoadOptions, readGuard } from './load.node.ts';

export * from './index.ts';
export { type Dtype, dtypes, type LoadOptions } from './load.node.ts';

/**
 * A guard on onnxruntime-node.
 * @example
 * const guard = await Guard.load('guards/mine');
 * const { verdict, score, window } = await guard.check({ prompt, response });
 * await guard.dispose();
 */
export class Guard extends GuardCore {
  /**
   * @param name folder with config.json, the tokenizer's files and onnx/, or a hub id
   * @throws FormatError, ConfigError, HubError: one line saying what is wrong with it
   */
  static async load(name: string, options: LoadOptions = {}): Promise<Guard> {
    const parts = await readGuard(name, options);
    try {
      return new Guard(parts);
    } catch (error) {
      await parts.release();
      throw error;
    }
  }
}
