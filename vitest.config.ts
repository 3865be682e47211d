import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';
import { defineConfig, type ViteUserConfigFnObject } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** File for a JSON report of the full test run, which the continuous integration asks for. */
const jsonReport = process.env['VITEST_JSON_REPORT'];

/** Slow files, with real servers, browsers, many processes or many runs. `npm run test:slow` runs them, `npm test` the others. */
const SLOW = [
  'test/bench/benches.test.ts',
  'test/docs/{article,examples}.test.ts',
  'test/examples/*.test.ts',
  'test/gc/{page,parallel-in-a-page}.test.ts',
  'test/integrations/http/{express,nest}.test.ts',
  'test/integrations/{mysql2,postgres}/*.test.ts',
  'test/integrations/redis/*.test.ts',
  'test/kit/leave-nothing-behind.test.ts',
  'test/memoize/shared-protocol.test.ts',
  'test/node/cli/cli.test.ts',
  'test/node/profile/{devtools,open-snapshot,profile-readers,real-snapshots,side-by-side}.test.ts',
  'test/node/register/{matrix,register}.test.ts',
  'test/package.test.ts',
  'test/profile/planted-leak.test.ts',
  'test/testing/runners.test.ts',
  'test/zoo/zoo.test.ts',
];

/** The files that take longest, in this order. They begin first, so that no process works on one while the others have nothing left. */
const LONGEST = [
  'test/package.test.ts',
  'test/node/register/matrix.test.ts',
  'test/node/register/register.test.ts',
  'test/bench/benches.test.ts',
  'test/integrations/redis/shared-cache.test.ts',
  'test/zoo/zoo.test.ts',
  'test/testing/runners.test.ts',
  'test/memoize/shared-protocol.test.ts',
  'test/docs/examples.test.ts',
  'test/examples/service.test.ts',
  'test/integrations/postgres/adopted.test.ts',
  'test/integrations/redis/cluster.test.ts',
  'test/pool/interleaving.test.ts',
  'test/watchdog/removals.test.ts',
  'test/watchdog/present-nodes.test.ts',
  'test/gc/parallel.test.ts',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const index = LONGEST.findIndex((file) => moduleId.endsWith(file));
      return index < 0 ? LONGEST.length : index;
    };
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}

/** Many tests wait for a server, so two processes are worth it on a machine with two cores, too. */
const WORKERS = Math.max(2, availableParallelism() - 1);

/**
 * The processes of the tests use all cores. Helper threads of V8, and many small collections of young objects, make them slower
 * together: without these flags the tests need a seventh more time.
 */
const V8_FLAGS = ['--single-threaded', '--max-semi-space-size=64'];

const source = fileURLToPath(new URL('src', import.meta.url));

/** Alias for `vitest --mode lowest`: the lowest version of lru-cache in the range of `package.json`. */
const LOWEST_LRU_CACHE = { find: /^lru-cache$/, replacement: 'lru-cache-lowest' };

/** Files that are the same with each version of lru-cache: of the shared level, and of the other policies. */
const WITHOUT_LRU_CACHE = ['test/memoize/{shared-*,adaptive,s3-fifo}.test.ts'];

const EXCLUDED: Record<string, string[]> = {
  slow: [],
  lowest: [...SLOW, ...WITHOUT_LRU_CACHE],
};

const config: ViteUserConfigFnObject = defineConfig(({ mode }) => ({
  plugins: [
    {
      // Vite's own transformer leaves the standard's decorators as they are, and Node 20 cannot read them.
      name: 'standard-decorators',
      enforce: 'pre',
      async transform(code, id) {
        if (!id.endsWith('.ts') || !/^\s*@[a-z]\w*[(<\s]/m.test(code)) return undefined;
        const options = {
          loader: 'ts',
          target: 'es2022',
          sourcefile: id,
          sourcemap: true,
        } as const;
        return transform(code, options);
      },
    },
  ],
  resolve: {
    alias: [
      { find: /^tenure$/, replacement: `${source}/index.ts` },
      { find: /^tenure\/register$/, replacement: `${source}/node/register/index.ts` },
      { find: /^tenure\/profile\/v8$/, replacement: `${source}/node/profile/index.ts` },
      { find: /^tenure\/integrations\/(.*)$/, replacement: `${source}/integrations/$1.ts` },
      { find: /^tenure\/(testing\/.*)$/, replacement: `${source}/$1.ts` },
      { find: /^tenure\/(.*)$/, replacement: `${source}/$1/index.ts` },
      ...(mode === 'lowest' ? [LOWEST_LRU_CACHE] : []),
    ],
  },
  test: {
    include: mode === 'slow' ? SLOW : ['test/**/*.test.ts'],
    exclude: EXCLUDED[mode] ?? SLOW,
    globalSetup: mode === 'slow' ? ['test/kit/run-folder.ts'] : [],
    setupFiles: ['test/kit/leave-nothing-behind.ts', 'test/kit/fail-on-leaks.ts'],
    pool: 'forks',
    execArgv: V8_FLAGS,
    sequence: { sequencer: LongestFirst },
    maxWorkers: WORKERS,
    reporters:
      jsonReport === undefined || mode === 'lowest'
        ? ['default']
        : [
            'default',
            ['json', { outputFile: mode === 'slow' ? `${jsonReport}.slow` : jsonReport }],
          ],
    testTimeout: 60_000, // It ends a test that hangs. A busy machine may need ten times as long as an idle one.
    hookTimeout: 60_000,
  },
}));
export default config;
