/** The body of an answer, whole or an error. */
import { FormatError } from 'onnx-grad';
import { FetchError } from './fetch-error.ts';

export interface BodyOptions {
  readonly url: string;
  readonly maxBytes: number;
  /** Called with the size of each piece. */
  readonly onBytes: (count: number) => void;
}

const FIRST_BYTES = 65_536; // where no length is stated

/** @throws FormatError for more than `maxBytes`, FetchError for a body that breaks off */
export async function readBody(response: Response, { url, maxBytes, onBytes }: BodyOptions): Promise<Uint8Array> {
  const stated = statedLength(response);
  const tooLong = (size: number | string): FormatError =>
    new FormatError(`${url} has ${size} bytes, expected at most ${maxBytes}.`, { file: url });
  if ((stated ?? 0) > maxBytes) {
    await response.body?.cancel();
    throw tooLong(stated!);
  }
  let bytes = new Uint8Array(stated ?? Math.min(FIRST_BYTES, maxBytes));
  let size = 0;
  const reader = response.body?.getReader();
  for (;;) {
    const { value } = (await reader?.read()) ?? {};
    if (value === undefined) break;
    const end = size + value.byteLength;
    if (end > maxBytes) {
      await reader?.cancel();
      throw tooLong(`more than ${maxBytes}`);
    }
    if (end > bytes.byteLength) {
      const longer = new Uint8Array(Math.min(maxBytes, Math.max(end, 2 * bytes.byteLength)));
      longer.set(bytes);
      bytes = longer;
    }
    bytes.set(value, size);
    size = end;
    onBytes(value.byteLength);
  }
  // of an answer from elsewhere we may not see that it was compressed; the browser has compared lengths itself
  if (stated !== null && size < stated && response.type !== 'cors') {
    throw cutOff(url, `after ${size} of ${stated} bytes`);
  }
  return size === bytes.byteLength ? bytes : bytes.subarray(0, size);
}

export function cutOff(url: string, where: string, cause?: unknown): FetchError {
  return new FetchError(`${url} broke off ${where}. Load it again.`, url, { cause });
}

/** `null` where it is unknown, or that of compressed bytes. */
function statedLength({ headers }: Response): number | null {
  const text = headers.has('content-encoding') ? null : headers.get('content-length');
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
