import { defineConfig } from 'vitest/config';

export default defineConfig({
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ['{apps,packages}/*/{src,test}/**/*.test.ts', '{bench,examples,scripts}/**/*.test.ts'],
    globalSetup: ['scripts/chromium.ts'],
    // without the last, worker threads that load TypeScript crash V8 now and then (docs/decisions.md)
    execArgv: ['--conditions=source', '--no-wasm-generic-wrapper'],
    pool: 'forks',
    testTimeout: 30_000,
    // its dependencies have a condition "source" too, for files that Node does not read from node_modules
    server: { deps: { inline: [/\/node_modules\/(ai|@ai-sdk|eventsource-parser)\//] } },
  },
});
