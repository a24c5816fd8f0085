/** Which label of a two-class classifier says that a text is unsafe. */
import { FormatError } from 'onnx-grad';

const UNSAFE = /^(unsafe|harmful|toxic|injection|jailbreak|positive)$/i;

/**
 * By its name in `id2label`, or the second where names say nothing.
 * @param labels how many the classifier has
 * @throws FormatError for another number than two
 */
export function unsafeIndex(json: Readonly<Record<string, unknown>>, labels: number, folder: string): 0 | 1 {
  if (labels !== 2) {
    const message = `${folder}: a guard has two labels, safe and unsafe; this classifier has ${labels}.`;
    throw new FormatError(message, { file: `${folder}/config.json`, field: 'id2label' });
  }
  const names = (json.id2label ?? {}) as Record<string, unknown>;
  return UNSAFE.test(String(names[0])) && !UNSAFE.test(String(names[1])) ? 0 : 1;
}
