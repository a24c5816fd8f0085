/** The guard in Node, with everything of index.ts. */
import { GuardCore } from './guard.ts';
import { type LoadOptions, loadParts } from './load.node.ts';

export * from './index.ts';
export type { LoadOptions } from './load.node.ts';

/**
 * A guard on onnxruntime-node.
 * @example
 * const guard = await Guard.load('guards/mine');
 * const { verdict, score, window } = await guard.check({ prompt, response });
 * await guard.dispose();
 */
export class Guard extends GuardCore {
  /**
   * @param name folder with config.json, the tokenizer's files and onnx/, or a hub id, or the folder's address (https://…)
   * @throws FormatError, ConfigError, HubError, FetchError, DeviceError: one line saying what is wrong with it
   */
  static async load(name: string | URL, options: LoadOptions = {}): Promise<Guard> {
    const parts = await loadParts(name, options);
    try {
      return new Guard(parts);
    } catch (error) {
      await parts.release();
      throw error;
    }
  }
}
