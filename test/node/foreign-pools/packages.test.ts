import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { watchForeignPools } from '../../../src/node/index.js';
import { Watchdog } from '../../../src/watchdog/index.js';

const CLASS = `module.exports = class Pool {
  acquire() { return Promise.resolve({}); }
  release() {}
  destroy() {}
};`;

/** Makes a copy of generic-pool with this manifest and class, and a function that requires it. */
function fakePackage(manifest: string, source = CLASS) {
  const home = mkdtempSync(join(tmpdir(), 'tenure-foreign-'));
  const folder = join(home, 'node_modules/generic-pool');
  mkdirSync(join(folder, 'lib'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), manifest);
  writeFileSync(join(folder, 'lib/Pool.js'), source);
  return {
    folder,
    load: () =>
      createRequire(join(home, 'app.js'))('generic-pool/lib/Pool') as new () => {
        acquire(): unknown;
      },
    [Symbol.dispose]: () => rmSync(home, { recursive: true, force: true }),
  };
}

test.each([
  [
    'an unknown major version',
    '{ "name": "generic-pool", "version": "4.0.0" }',
    CLASS,
    'generic-pool 4.0.0',
    'this version is not known',
  ],
  [
    'a class without the methods',
    '{ "name": "generic-pool", "version": "3.9.9" }',
    'module.exports = class { acquire() {} };',
    'generic-pool 3.9.9',
    'its class has no release()',
  ],
  [
    'a file without a class',
    '{ "name": "generic-pool", "version": "3.9.9" }',
    'module.exports = { x: 1 };',
    'generic-pool 3.9.9',
    'its class has no acquire()',
  ],
])('%s is left alone, and named with its folder', (_what, manifest, source, copy, reason) => {
  using fake = fakePackage(manifest, source);
  using watchdog = new Watchdog();
  using foreign = watchForeignPools(watchdog, { packages: ['generic-pool'] });
  fake.load();
  fake.load();
  const ours = foreign.missed.filter((missed) => missed.includes(fake.folder));
  expect(ours).toEqual([`${copy} (${fake.folder}): ${reason}`]);
  expect(foreign.patched.filter(({ path }) => path === fake.folder)).toEqual([]);
});

test('a copy that is loaded later is watched, once', async () => {
  using fake = fakePackage('{ "name": "generic-pool", "version": "3.8.0" }');
  using watchdog = new Watchdog();
  using foreign = watchForeignPools(watchdog, { packages: ['generic-pool'] });
  const Pool = fake.load();
  fake.load();
  expect(foreign.patched.filter(({ path }) => path === fake.folder)).toEqual([
    { package: 'generic-pool', version: '3.8.0', path: fake.folder },
  ]);
  await new Pool().acquire();
  expect(watchdog.stats()).toMatchObject({ components: 1, loans: 1 });
});

test('a folder of the application that has the name of a package is none of its copies', () => {
  using fake = fakePackage('{ "name": "my-app", "version": "3.0.0" }');
  using watchdog = new Watchdog();
  using foreign = watchForeignPools(watchdog);
  fake.load();
  expect(foreign.patched.filter(({ path }) => path === fake.folder)).toEqual([]);
  expect(foreign.missed.filter((missed) => missed.includes(fake.folder))).toEqual([]);
});

test('only the packages that are asked for are watched', () => {
  using fake = fakePackage('{ "name": "generic-pool", "version": "3.8.0" }');
  using watchdog = new Watchdog();
  using foreign = watchForeignPools(watchdog, { packages: ['pg', 'tarn'] });
  fake.load();
  expect(foreign.patched.map((copy) => copy.package)).not.toContain('generic-pool');
});

test('several pools of one package have names of their own', async () => {
  using fake = fakePackage('{ "name": "generic-pool", "version": "3.8.0" }');
  using watchdog = new Watchdog({ graceMillis: 0 });
  using _foreign = watchForeignPools(watchdog);
  const Pool = fake.load();
  await watchdog.scope('job', () => Promise.all([new Pool().acquire(), new Pool().acquire()]));
  const names = (await watchdog.check()).map(({ component }) => component.name);
  expect(names.sort()).toEqual(['generic-pool', 'generic-pool #2']);
});

test('a method that is called without its pool fails as it does without the watch', () => {
  using fake = fakePackage(
    '{ "name": "generic-pool", "version": "3.8.0" }',
    `'use strict';${CLASS.replace('return Promise.resolve({});', 'return this.x;')}`,
  );
  const bare = fake.load().prototype.acquire;
  const message = messageOf(bare);
  using watchdog = new Watchdog();
  using _foreign = watchForeignPools(watchdog);
  const { acquire } = fake.load().prototype;
  expect(acquire).not.toBe(bare);
  expect(messageOf(acquire)).toBe(message);
});

function messageOf(method: () => unknown): string {
  try {
    Reflect.apply(method, undefined, []);
    return 'it does not throw';
  } catch (error) {
    return (error as Error).message;
  }
}

test('another tool may wrap a patched method: its wrapper stays, and calls the original after the end', async () => {
  using fake = fakePackage('{ "name": "generic-pool", "version": "3.8.0" }');
  using watchdog = new Watchdog();
  const foreign = watchForeignPools(watchdog);
  const Pool = fake.load();
  const { acquire } = Pool.prototype;
  let calls = 0;
  Pool.prototype.acquire = function (this: object) {
    calls++;
    return Reflect.apply(acquire, this, []);
  };
  await new Pool().acquire();
  foreign[Symbol.dispose]();
  await new Pool().acquire();
  expect(calls).toBe(2);
  expect(watchdog.stats().loans).toBe(1);
});

test('one watch at a time: a second one is refused until the first has ended', () => {
  using watchdog = new Watchdog();
  {
    using _first = watchForeignPools(watchdog);
    expect(() => watchForeignPools(watchdog)).toThrow(
      expect.objectContaining({
        code: 'TENURE_ALREADY_WATCHED',
        message: expect.stringMatching(/^Each pool of another package is watched already/),
      }),
    );
  }
  watchForeignPools(watchdog)[Symbol.dispose]();
});

test('a value that is no watchdog is refused', () => {
  for (const watchdog of [undefined, {}]) {
    expect(() => watchForeignPools(watchdog as never)).toThrow(
      expect.objectContaining({ code: 'TENURE_INVALID_ARGUMENT' }),
    );
  }
});

test.each([{ packages: ['mysql'] }, { packages: 'pg' }, { package: ['pg'] }])(
  'wrong options %o are refused',
  (options) => {
    expect(() => watchForeignPools(new Watchdog(), options as never)).toThrow(
      expect.objectContaining({ code: 'TENURE_INVALID_ARGUMENT' }),
    );
  },
);
