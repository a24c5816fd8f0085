/** What a guard can be exported as, and what transformers.js and optimum call the files. */
import type { Quantization } from 'onnx-grad';

export const precisionNames = ['fp32', 'int8', 'q4'] as const;
export type Precision = (typeof precisionNames)[number];

export const precisions: Readonly<
  Record<Precision, { readonly file: string; readonly quantization: Quantization | null }>
> = {
  fp32: { file: 'model.onnx', quantization: null },
  int8: { file: 'model_quantized.onnx', quantization: 'int8' },
  q4: { file: 'model_q4.onnx', quantization: 'q4' },
};
