/** Models in onnxruntime-node. */
import { DeviceError } from 'onnx-grad';
import { type OpenedModel, openSession } from './session.ts';

/**
 * @param file name for errors
 * @param model the file's path, or its bytes; `folder` has the tensors that they name by their places
 * @throws FormatError, as `openSession`; DeviceError without onnxruntime-node
 */
export async function openModel(
  file: string,
  model: string | Uint8Array,
  threads = 0,
  folder?: string,
): Promise<OpenedModel> {
  const ort = await import('onnxruntime-node').catch((cause) => {
    const message = 'onnxruntime-node is not there or does not start. Install it: npm install onnxruntime-node';
    throw new DeviceError(message, { cause });
  });
  // what goes wrong is thrown; it need not be printed too
  const options = {
    intraOpNumThreads: threads,
    logSeverityLevel: 4,
    ...(folder === undefined ? {} : { extra: { session: { model_external_initializers_file_folder_path: folder } } }),
  } as const;
  return openSession(
    file,
    // the two calls are told apart by their argument's type
    () =>
      typeof model === 'string'
        ? ort.InferenceSession.create(model, options)
        : ort.InferenceSession.create(model, options),
    ({ data, dims }) => new ort.Tensor('int64', data as BigInt64Array, dims),
  );
}
