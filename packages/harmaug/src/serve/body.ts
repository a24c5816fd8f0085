/** A request's body: JSON of limited size, checked by a schema. What is wrong is said without repeating what was sent. */
import type { z } from 'zod';
import { ApiError } from './api-error.ts';

/**
 * @throws ApiError 415 for another type: pages of other sites can send those, and these not; 413 for too many bytes;
 * 400 for what is no JSON or does not fit the schema
 */
export async function readJson<Schema extends z.ZodType>(
  request: Request,
  schema: Schema,
  maxBytes: number,
): Promise<z.output<Schema>> {
  const type = request.headers.get('content-type') ?? '';
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw new ApiError(415, 'Expected the header content-type: application/json.', { code: 'unsupported_media_type' });
  }
  if (request.headers.has('content-encoding')) {
    throw new ApiError(415, 'Expected a body without content-encoding.', { code: 'unsupported_encoding' });
  }
  const result = schema.safeParse(parse(await readText(request, maxBytes)));
  if (result.success) return result.data as z.output<Schema>;
  const { path, message } = closestIssue(result.error.issues);
  const param = path.join('.');
  const details = { code: 'invalid_body', ...(param === '' ? {} : { param }) };
  throw new ApiError(400, `${param === '' ? 'The body' : `"${param}"`} ${describe(message)}`, details);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError(400, 'The body is no JSON.', { code: 'invalid_json' }); // the parser's message quotes it
  }
}

async function readText(request: Request, maxBytes: number): Promise<string> {
  const tooLarge = () => {
    const message = `The body is too large: at most ${maxBytes} bytes, --max-body sets it.`;
    return new ApiError(413, message, { code: 'body_too_large', headers: { connection: 'close' } });
  };
  const length = request.headers.get('content-length');
  if (Number(length ?? 0) > maxBytes) throw tooLarge();
  const decoder = new TextDecoder();
  let [text, sizeBytes] = ['', 0];
  try {
    // a server holds its clients to the length they name, and whole bodies are read faster
    if (length !== null && !request.headers.has('transfer-encoding')) return await request.text();
    for await (const chunk of request.body ?? []) {
      sizeBytes += chunk.length;
      if (sizeBytes > maxBytes) throw tooLarge();
      text += decoder.decode(chunk, { stream: true });
    }
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw new ApiError(400, 'The body broke off.', { code: 'incomplete_body' });
  }
  return text + decoder.decode();
}

type Issue = z.core.$ZodIssue;

interface Finding {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Of a union's alternatives the one that got furthest; the union itself where none fits at all. */
function closestIssue(issues: readonly Issue[]): Finding {
  const [issue] = issues as [Issue];
  if (issue.code !== 'invalid_union') return issue;
  const inner = issue.errors.filter((errors) => errors.length > 0).map(closestIssue);
  const furthest = inner.reduce((best, one) => (reach(one) > reach(best) ? one : best), inner[0] ?? issue);
  if (reach(furthest) === 0) return issue;
  return { path: [...issue.path, ...furthest.path], message: furthest.message };
}

/** How far a value came before it was wrong: its type was right where the message is ours. */
function reach({ path, message }: Finding): number {
  return path.length + (message.startsWith('Invalid input') ? 0 : 0.5);
}

/** zod's findings in our words. Unknown keys are not repeated: they may hold anything. */
function describe(message: string): string {
  return message
    .replace(/^unknown key "[\s\S]*?"\. (Did you mean "\w+"\?|Known: [\w, ]+\.)[\s\S]*$/, 'has an unknown key. $1')
    .replace(/^Invalid input: expected (\w+), received undefined$/, 'is missing, expected $1')
    .replace(/^Invalid input: expected (\w+), received (\w+)$/, 'is wrong: expected $1, got $2')
    .replace(/^Invalid input[\s\S]*$/, 'is of another form than /openapi.json describes')
    .replace(/([^.?])$/, '$1.');
}
