import { FormatError } from 'onnx-grad';

/** The lines of a text file from outside; the last may or may not end. @throws FormatError when it is not UTF-8 */
export function readLines(bytes: Uint8Array, file: string): string[] {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new FormatError(`${file} is not UTF-8.`, { file, cause });
  }
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => line.replace(/\r$/, ''));
}
