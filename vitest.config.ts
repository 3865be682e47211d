import { fileURLToPath } from 'node:url';
import { defineConfig, type ViteUserConfig } from 'vitest/config';

/** Where the continuous integration wants the results as JSON as well. */
const jsonReport = process.env['VITEST_JSON_REPORT'];

const source = fileURLToPath(new URL('src', import.meta.url));

const config: ViteUserConfig = defineConfig({
  resolve: {
    alias: [
      { find: /^tenure$/, replacement: `${source}/index.ts` },
      { find: /^tenure\/(.*)$/, replacement: `${source}/$1/index.ts` },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/kit/leave-nothing-behind.ts'],
    pool: 'forks',
    reporters:
      jsonReport === undefined ? ['default'] : ['default', ['json', { outputFile: jsonReport }]],
    testTimeout: 20_000,
  },
});
export default config;
