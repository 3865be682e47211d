import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SUBPATHS as EXPORTED } from '../scripts/bundle-sizes.js';
import { allExamples, asModule } from './docs/doc-examples.js';
import {
  type InstalledPackage,
  installPackedPackage,
  PACKAGE_PATIENCE_MILLIS,
  PROJECT,
  run,
  tsc,
} from './kit/packed-package.js';

/** Subpaths that load the package which they serve, or run within its runner only. `test/testing/runners.test.ts` runs them. */
const NEED_A_PEER = /^(?:testing\/(?:vitest|vitest-setup|jest-setup)|integrations\/nest)$/;

const SUBPATHS = EXPORTED.filter((subpath) => !NEED_A_PEER.test(subpath)).map((subpath) =>
  subpath === '.' ? '' : `/${subpath}`,
);

/** Versions of Node that the package supports. */
const NODES = ['20', '22', '24', '26'];

/** Versions of TypeScript that lack what later ones have: the first with `using`, and the last without a type argument of Uint8Array. */
const OLD_TYPESCRIPTS = ['5.2', '5.6'];

let installed: InstalledPackage;

beforeAll(async () => {
  installed = await installPackedPackage();
  writeFileSync(join(installed.folder, 'smoke.mjs'), SMOKE);
}, PACKAGE_PATIENCE_MILLIS);

afterAll(() => installed[Symbol.dispose]());

test('the tarball contains the build, the sources and the license, and no tests', () => {
  expect(installed.files).toContain('dist/index.js');
  expect(installed.files).toContain('dist/pool/index.d.ts');
  expect(installed.files).toContain('src/pool/pool.ts');
  expect(installed.files).toContain('LICENSE');
  expect(installed.files.filter((file) => /^(test|bench|examples|docs)\//.test(file))).toEqual([]);
});

test('every subpath can be imported and required, and both give one module', () => {
  expect(run(installed.folder, process.execPath, ['smoke.mjs'])).toBe('fine\n');
});

test.each([
  ['without @types/node', []],
  ['with @types/node', ['node']],
] as const)(
  "the package's types compile in a strict project %s",
  (_how, types) => {
    const folder = join(installed.folder, `typed-${types.length}`);
    mkdirSync(folder);
    if (types.length > 0) {
      mkdirSync(join(folder, 'node_modules/@types'), { recursive: true });
      symlinkSync(
        join(PROJECT, 'node_modules/@types/node'),
        join(folder, 'node_modules/@types/node'),
      );
      symlinkSync(
        join(PROJECT, 'node_modules/undici-types'),
        join(folder, 'node_modules/undici-types'),
      );
    }
    writeFileSync(join(folder, 'consumer.mts'), CONSUMER);
    compile(folder, ['consumer.mts'], {
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      types,
    });
  },
  60_000,
);

test.skipIf(process.env['CI'] !== 'true').each(OLD_TYPESCRIPTS)(
  "the package's types compile with TypeScript %s (needs CI=true, because it gets that TypeScript from npm)",
  (version) => {
    const folder = join(installed.folder, `typed-by-${version}`);
    mkdirSync(folder);
    writeFileSync(join(folder, 'consumer.mts'), CONSUMER);
    writeProject(folder, ['consumer.mts'], { skipLibCheck: false, types: [] });
    run(folder, 'npx', ['--yes', '--package', `typescript@${version}`, '--', 'tsc', '-p', '.']);
  },
  300_000,
);

test(
  'the examples of the documentation compile with the types of the package',
  () => {
    const folder = join(installed.folder, 'documented');
    const modules = join(folder, 'node_modules');
    cpSync(join(installed.folder, 'node_modules/tenure'), join(modules, 'tenure'), {
      recursive: true,
    });
    for (const name of readdirSync(join(PROJECT, 'node_modules'))) {
      if (!name.startsWith('.'))
        symlinkSync(join(PROJECT, 'node_modules', name), join(modules, name));
    }
    const files = allExamples().map((example, i) => {
      writeFileSync(join(folder, `example-${i}.mts`), asModule(example));
      return `example-${i}.mts`;
    });
    compile(folder, files, { skipLibCheck: true, types: ['node'] });
  },
  PACKAGE_PATIENCE_MILLIS,
);

test.skipIf(process.env['CI'] !== 'true').each(NODES)(
  'the package runs on Node %s (needs CI=true, because it gets that Node from npm)',
  (version) => {
    const args = ['--yes', '--package', `node@${version}`, '--', 'node', 'smoke.mjs'];
    expect(run(installed.folder, 'npx', args)).toBe('fine\n');
  },
  300_000,
);

const SMOKE = `
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
for (const subpath of ${JSON.stringify(SUBPATHS)}) {
  const imported = await import('tenure' + subpath);
  const required = require('tenure' + subpath);
  assert.ok(Object.keys(imported).length > 0, subpath);
  for (const name of Object.keys(imported)) assert.equal(required[name], imported[name], subpath + ' ' + name);
}
const { createPool, formatReport, memoize, Watchdog, WeakValueMap, Heap, DisposableStack } = await import('tenure');
const pool = createPool({ create: async () => ({}), destroy: async () => {} }, { name: 'db' });
const watchdog = new Watchdog({ level: 'advanced' });
watchdog.watch(pool);
await watchdog.scope('smoke', async () => { await pool.lease(); });
const [leak] = await watchdog.check({ forceGc: true });
assert.equal(leak.rule, 'orphaned');
assert.equal(leak.certainty, 'certain');
assert.ok(leak.site.file.endsWith('smoke.mjs'), leak.site.file);
assert.ok(formatReport([leak]).startsWith('LEAK'));
await pool.close({ graceMillis: 0, force: true });
assert.equal(memoize((n) => n * 2, { max: 2 })(21), 42);
assert.equal(new WeakValueMap().size, 0);
assert.equal(new Heap().gc.collect(), 0);
new DisposableStack().dispose();
console.log('fine');
`;

const CONSUMER = `
import { Heap, type Handle } from 'tenure/gc';
import { memoize } from 'tenure/memoize';
import { createPool, type Lease, type Pool } from 'tenure/pool';
import {
  asyncContextManager, AsyncDisposableStack, AsyncRunStack, closing, contextManager, DisposableStack, RefCounted, RunStack,
} from 'tenure/scope';
import { type LeakReport, Watchdog } from 'tenure/watchdog';
import { finalize, ref, WeakValueMap } from 'tenure/weak';
import * as everything from 'tenure';

interface Connection { query(sql: string): Promise<string[]> }
const pool: Pool<Connection> = createPool({
  create: async ({ signal }) => ({ query: async (sql: string) => [sql, String(signal.aborted)] }),
  destroy: () => {},
});
export async function rows(signal: AbortSignal): Promise<string[]> {
  await using lease: Lease<Connection> = await pool.lease({ signal, timeoutMillis: 100 });
  return lease.resource.query('select 1');
}
export async function passedOn(signal?: AbortSignal, timeoutMillis?: number): Promise<void> {
  await pool.ready({ signal, timeoutMillis });
  await using lease = await pool.lease({ signal, timeoutMillis });
  await using shared = await client.acquire({ signal });
  await double.call([1], { signal });
  void [lease, shared];
}
const client = new RefCounted(() => ({ quit: async () => 'OK' }), { dispose: (it) => it.quit() });
const double = memoize(<T,>(value: T): T[] => [value, value], { max: 10, ttl: 1_000 });
export const twice: number[] = double(2);
export const opened = contextManager(function* (name: string) { yield name.length; });
export function stacks(): void {
  using stack = new DisposableStack();
  stack.defer(() => {});
  new AsyncDisposableStack().defer(async () => {});
  using one = opened('x');
  const length: number = one.value;
  void length;
}
const connected = asyncContextManager(async function* (host: string) { yield host; });
export async function enteredLater(stack: AsyncRunStack): Promise<string> {
  const entered: Promise<string> = stack.enter(await connected('db'));
  return entered;
}
export function enteredNow(stack: AsyncRunStack): number {
  return stack.enter(opened('x'));
}
// @ts-expect-error A handle is no context.
new RunStack().enter(closing({ close() {} }));
// @ts-expect-error A policy is made by s3fifo().
memoize(double, { max: 10, policy: 's3-fifo' });
// @ts-expect-error The shared level is made by sharedCache().
memoize(double, { max: 10, shared: { store: new Map() } });
// @ts-expect-error Disposal is made by disposal().
memoize(double, { max: 10, dispose: { onDispose: undefined } });
const watchdog = new Watchdog({ onLeak: (leak: LeakReport) => leak.site?.line });
watchdog.watch(pool);
watchdog.watch(double);
watchdog.watch(new WeakValueMap<string, object>());
const heap = new Heap();
const node: Handle = heap.alloc({ kind: 'x', finalizer: (self) => heap.hold(self) });
export const kept: object | undefined = ref({}).deref();
finalize(pool, (name: string) => name.length, 'pool').detach();
export const same: boolean = everything.createPool === createPool && heap.isAlive(node);
`;

/** Compiles files of a folder as a strict consumer of ES modules does. */
function compile(folder: string, files: readonly string[], options: object): void {
  writeProject(folder, files, options);
  tsc(folder, '-p', '.');
}

function writeProject(folder: string, files: readonly string[], options: object): void {
  const compilerOptions = {
    target: 'es2022',
    module: 'nodenext',
    strict: true,
    noEmit: true,
    ...options,
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
}
