import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { expectSpace } from './disk.node.ts';
import { HubError } from './errors.ts';
import { answerError, type Reply, send, waitOrThrow } from './http.ts';
import { asked, type Hub } from './hub.ts';
import { type HubId, pagePath } from './id.ts';
import type { RepoFile } from './listing.ts';

/**
 * Bytes from the hub into a partial file, however often the connection breaks off: each request asks for what is still
 * missing, and each piece is written at its own place. So two processes that write there at once write the same.
 */

export interface BlobSource {
  readonly id: HubId;
  readonly commit: string;
  readonly file: RepoFile;
}

export type OnBytes = (doneBytes: number) => void;

/** Where a download stands. */
interface State {
  doneBytes: number;
  /** Of the bytes fetched by this process, for If-Range. */
  etag: string | null;
}

const PROGRESS_BYTES = 2 ** 20; // after which earlier failures no longer count

/**
 * Fetches until the partial file has the listed size, from the bytes that it has.
 * @throws HubError when too many attempts in a row fail, or an answer cannot be right
 */
export async function download(hub: Hub, source: BlobSource, partial: string, onBytes: OnBytes): Promise<void> {
  const { sizeBytes } = source.file;
  const handle = await open(partial, constants.O_RDWR | constants.O_CREAT, 0o666);
  try {
    const state: State = { doneBytes: (await handle.stat()).size, etag: null };
    await expectSpace(path.dirname(partial), sizeBytes - state.doneBytes);
    let failures = 0;
    let mark = state.doneBytes;
    while (state.doneBytes < sizeBytes) {
      try {
        await receive(hub, source, handle, state, onBytes);
      } catch (error) {
        if (state.doneBytes - mark >= PROGRESS_BYTES) [failures, mark] = [0, state.doneBytes];
        failures += 1;
        await waitOrThrow(hub, error, failures);
      }
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function startOver(handle: FileHandle, state: State): Promise<void> {
  await handle.truncate(0);
  Object.assign(state, { doneBytes: 0, etag: null });
}

/** One request for what is still missing. @throws HubError where it ends before that */
async function receive(
  hub: Hub,
  source: BlobSource,
  handle: FileHandle,
  state: State,
  onBytes: OnBytes,
): Promise<void> {
  const { id, commit, file } = source;
  const filePath = file.path.split('/').map(encodeURIComponent).join('/');
  const reply = await send(
    hub,
    asked(hub, id, file.path),
    `${hub.endpoint}/${pagePath(id)}/resolve/${commit}/${filePath}`,
    {
      'accept-encoding': 'identity',
      ...(state.doneBytes > 0 ? { range: `bytes=${state.doneBytes}-` } : {}),
      ...(state.doneBytes > 0 && state.etag !== null ? { 'if-range': state.etag } : {}),
    },
  );
  try {
    checkOffer(hub, reply, source);
    if (!(await isContinued(reply.response, handle, state, file))) {
      const message = `${file.path} of ${id.repo}: the answer does not fit the ${file.sizeBytes} bytes that the hub lists.`;
      const remedy = 'Is there a proxy or a login page in between?';
      throw new HubError('answer', `${message} ${remedy}`, { status: reply.response.status, isRetryable: true });
    }
    state.etag = strongEtag(reply.response.headers);
    for await (const chunk of reply.chunks()) {
      if (state.doneBytes + chunk.byteLength > file.sizeBytes) {
        const message = `${file.path} of ${id.repo} is longer than the ${file.sizeBytes} bytes that the hub lists.`;
        throw new HubError('damaged', `${message} It was removed; try again.`);
      }
      await writeAt(handle, chunk, state.doneBytes);
      state.doneBytes += chunk.byteLength;
      onBytes(state.doneBytes);
    }
    if (state.doneBytes < file.sizeBytes) {
      const message = `${file.path} of ${id.repo} broke off after ${state.doneBytes} of ${file.sizeBytes} bytes.`;
      throw new HubError('unreachable', `${message} Try again: it goes on from there.`, { isRetryable: true });
    }
  } finally {
    reply.close();
  }
}

/** What the hub says of the file when it is asked for it must be what it listed. */
function checkOffer(hub: Hub, { hubHeaders: headers }: Reply, { commit, file }: BlobSource): void {
  const size = headers.get('x-linked-size');
  const etag = headers.get('x-linked-etag')?.replace(/^(W\/)?"|"$/g, '');
  const at = headers.get('x-repo-commit');
  const isSame =
    (size === null || size === String(file.sizeBytes)) &&
    (etag === undefined || [file.sha256, file.gitHash, file.xetHash].includes(etag)) &&
    (at === null || at === commit);
  if (!isSame) throw answerError(new URL(hub.endpoint).host, `offers another ${file.path} than it lists`);
}

/**
 * Whether the answer's bytes belong where the partial file ends. An answer with the whole file makes it start over; so does
 * one that refuses or mistakes the range, and then the next request asks for the whole.
 */
async function isContinued(
  { status, headers }: Response,
  handle: FileHandle,
  state: State,
  { sizeBytes }: RepoFile,
): Promise<boolean> {
  if (status === 206) {
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '');
    if (range !== null && Number(range[1]) === state.doneBytes && ['*', String(sizeBytes)].includes(range[2]!))
      return true;
  }
  if (state.doneBytes > 0) await startOver(handle, state);
  if (status !== 200) return false;
  const isPlain = [null, 'identity'].includes(headers.get('content-encoding'));
  return !isPlain || [null, String(sizeBytes)].includes(headers.get('content-length'));
}

function strongEtag(headers: Headers): string | null {
  const etag = headers.get('etag');
  return etag?.startsWith('"') ? etag : null;
}

async function writeAt(handle: FileHandle, chunk: Uint8Array, begin: number): Promise<void> {
  for (let done = 0; done < chunk.byteLength; ) {
    const { bytesWritten } = await handle.write(chunk, done, chunk.byteLength - done, begin + done);
    done += bytesWritten;
  }
}
