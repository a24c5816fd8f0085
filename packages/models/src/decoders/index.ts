/** The decoders by `model_type`. Adding one is a line here and a file of its own. */
import type { Backbone } from '../backbone.ts';
import type { DecoderConfig } from './decoder.ts';
import { llama } from './llama.ts';
import { qwen2 } from './qwen2.ts';

export const decoders: Readonly<Record<'llama' | 'qwen2', Backbone<DecoderConfig>>> = { llama, qwen2 };
