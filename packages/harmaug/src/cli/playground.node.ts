/** `harmaug playground`: a page to try a guard in, on this machine until Ctrl-C, or as a folder for a static host. */
import { startSite } from '../playground/server.node.ts';
import { makeSite, writeSite } from '../playground/site.node.ts';
import { defineCommand } from './command.node.ts';
import { UsageError } from './flags.node.ts';

export const playgroundCommand = defineCommand({
  summary: 'try a guard in a page of the browser, or write that page for a static host',
  positional: ['<folder>'],
  flags: {
    port: { kind: 'number', help: 'of 127.0.0.1; any that is free' },
    out: { kind: 'text', value: '<folder>', help: 'write the site there, for a static host, and serve nothing' },
  },
  notes: `The guard runs in the page; texts stay there. Of the folder only what the guard needs is served or written.
A static host may lie at any path; with the headers Cross-Origin-Opener-Policy: same-origin and
Cross-Origin-Embedder-Policy: require-corp the page has threads.

  harmaug playground guard
  harmaug playground guard --out site`,

  async run({ port = 0, out }, io, [folder]) {
    if (!Number.isInteger(port) || port < 0 || port > 65_535) {
      throw new UsageError(`--port: expected a whole number from 0 to 65535, got ${port}.`);
    }
    const site = await makeSite(folder!);
    if (out !== undefined) {
      const written = await writeSite(site, out);
      const text = `${out}: ${written.files} files, ${(written.bytes / 1e6).toFixed(1)} MB. Put them on any static host.\n`;
      return { json: { guard: folder, ...written }, text };
    }
    const server = await startSite(site, port);
    io.say(`${folder} at ${server.url} (Ctrl-C ends it)`);
    await new Promise<void>((resolve) => {
      if (io.signal.aborted) resolve();
      else io.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await server.stop();
    return { json: { guard: folder, url: server.url }, text: '' };
  },
});
