import { defineConfig } from 'vitest/config';

export default defineConfig({
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ['packages/*/{src,test}/**/*.test.ts', '{bench,examples,scripts}/**/*.test.ts'],
    globalSetup: ['scripts/chromium.ts'],
    execArgv: ['--conditions=source'],
    pool: 'forks',
    testTimeout: 30_000,
  },
});
