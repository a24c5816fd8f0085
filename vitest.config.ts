import { defineConfig } from 'vitest/config';

export default defineConfig({
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ['{apps,packages}/*/{src,test}/**/*.test.ts', '{bench,examples,scripts}/**/*.test.ts'],
    globalSetup: ['scripts/chromium.ts'],
    // V8 of Node 24 frees a wrapper under another thread's hands when it makes one faster (Node strips types with WebAssembly)
    execArgv: ['--conditions=source', '--no-wasm-generic-wrapper'],
    pool: 'forks',
    testTimeout: 30_000,
    // its dependencies have a condition "source" too, for files that Node does not read from node_modules
    server: { deps: { inline: [/\/node_modules\/(ai|@ai-sdk|eventsource-parser)\//] } },
  },
});
