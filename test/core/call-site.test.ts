import { runInThisContext } from 'node:vm';
import { expect, test } from 'vitest';
import {
  applicationFrame,
  captureStack,
  formatPosition,
  parseFrames,
} from '../../src/core/call-site.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { lineOf } from '../kit/line-of.js';

function entryPoint(): string {
  return captureStack(entryPoint);
}

test('the first frame is the line that called the entry point', () => {
  const stack = entryPoint(); // the calling line
  const [frame] = parseFrames(stack);
  expect(frame).toMatchObject({
    file: 'test/core/call-site.test.ts',
    line: lineOf(import.meta.url, '// the calling line'),
  });
  expect(formatPosition(frame as never)).toMatch(/^test\/core\/call-site\.test\.ts:\d+:\d+$/);
});

test('the stack is as deep as requested, and the stack limit of the process stays', () => {
  const before = Error.stackTraceLimit;
  const deep = (levels: number): string =>
    levels === 0 ? captureStack(entryPoint, 5) || captureStack(deep, 5) : deep(levels - 1);
  expect(captureStack(undefined, 3).split('\n')).toHaveLength(3);
  expect(deep(20).split('\n').length).toBeLessThanOrEqual(5);
  expect(Error.stackTraceLimit).toBe(before);
});

test('more frames than requested are taken if these show libraries only, as those of an ORM under a tracer', () => {
  const library = runInThisContext(
    '(levels, last) => { const call = (left) => (left === 0 ? last() : call(left - 1)); return call(levels); }',
    { filename: '/app/node_modules/orm/index.js' },
  ) as (levels: number, last: () => string) => string;
  const called = library(20, entryPoint); // the line above the library
  const frame = applicationFrame(parseFrames(called));
  expect(frame?.line).toBe(lineOf(import.meta.url, '// the line above the library'));
  expect(library(200, entryPoint).split('\n').length).toBeLessThan(50);
});

test.each([
  ['    at find (file:///srv/app/src/orders.ts:88:21)', 'find', '/srv/app/src/orders.ts', 88, 21],
  ['    at async OrderRepo.find (/srv/orders.ts:1:2)', 'OrderRepo.find', '/srv/orders.ts', 1, 2],
  ['    at file:///srv/a%20b/main.js:3:4', '', '/srv/a b/main.js', 3, 4],
  ['    at new Pool (C:\\app\\pool.js:5:6)', 'new Pool', 'C:\\app\\pool.js', 5, 6],
  ['    at node:internal/timers:573:17', '', 'node:internal/timers', 573, 17],
  ['    at Object.<anonymous> (/a.js:1:1)', 'Object.<anonymous>', '/a.js', 1, 1],
  ['    at https://example.com/app.js:7:8', '', 'https://example.com/app.js', 7, 8],
  [
    '    at find (C:\\Program Files (x86)\\a.js:5:6)',
    'find',
    'C:\\Program Files (x86)\\a.js',
    5,
    6,
  ],
  ['    at find (/srv/app (copy)/(group)/a.js:5:6)', 'find', '/srv/app (copy)/(group)/a.js', 5, 6],
  ['    at /srv/app (copy)/a.js:5:6', '', '/srv/app (copy)/a.js', 5, 6],
  ['    at Object.odd (name (/srv/a.js:5:6)', 'Object.odd (name', '/srv/a.js', 5, 6],
  ['    at run (evalmachine.<anonymous>:5:6)', 'run', 'evalmachine.<anonymous>', 5, 6],
  ['    at async (/srv/src/orders.ts:8:55)', '', '/srv/src/orders.ts', 8, 55],
  ['    at  (webpack://app/src/orders.ts:8:55)', '', 'webpack://app/src/orders.ts', 8, 55],
])('reads %s', (line, functionName, file, number, column) => {
  expect(parseFrames(line)).toEqual([{ functionName, file, line: number, column }]);
});

test('lines without a position are left out', () => {
  expect(parseFrames('    at Array.map (<anonymous>)\n    at native\n\nrubbish')).toEqual([]);
});

test.each([
  ['ends without a position', 'x (', '', []],
  ['has the start of a path in each part', 'x (/', ':1:2)', [{ functionName: 'x', line: 1 }]],
  ['has a long name', 'x(a', ' (/a.js:1:2)', [{ file: '/a.js', line: 1 }]],
  [
    'has a line separator in it',
    'x (',
    '\u2028/a.js:1:2)',
    [{ file: '\u2028/a.js', line: 1, column: 2 }],
  ],
])('a line of a megabyte that %s is read in time', (_what, part, end, frames) => {
  const line = `    at ${part.repeat(350_000)}${end}`;
  expect(parseFrames(line)).toMatchObject(frames);
});

test('the frame of the application is the innermost that belongs neither to Node nor to a dependency', () => {
  const frames = parseFrames(
    [
      '    at query (/srv/node_modules/orm/index.js:1:1)',
      '    at process (node:internal/process:2:2)',
      '    at checkout (/srv/src/orders.js:3:3)',
      '    at main (/srv/src/main.js:4:4)',
    ].join('\n'),
  );
  expect(applicationFrame(frames)?.functionName).toBe('checkout');
  expect(applicationFrame(frames.slice(0, 2))?.functionName).toBe('query');
  expect(applicationFrame([])).toBeUndefined();
});

test('the frames of Deno itself are not of the application', () => {
  const frames = parseFrames(
    [
      '    at AsyncLocalStorage.run (ext:deno_node/async_hooks.ts:1:1762)',
      '    at checkout (/srv/app/src/checkout.ts:9:1)',
    ].join('\n'),
  );
  expect(applicationFrame(frames)?.functionName).toBe('checkout');
});

test('a program that formats stacks by itself gets an empty stack', () => {
  const prepare = Error.prepareStackTrace;
  Error.prepareStackTrace = (_error, sites) => sites;
  try {
    expect(captureStack(entryPoint)).toBe('');
  } finally {
    if (prepare === undefined) Reflect.deleteProperty(Error, 'prepareStackTrace');
    else Error.prepareStackTrace = prepare;
  }
});

class Handle {
  readonly stack: string;
  constructor() {
    this.stack = captureStack(Handle);
  }
}

class HandleWithRawError {
  readonly error: Error;
  constructor() {
    this.error = new Error('where it was made');
  }
}

function makeAndDrop<T extends object>(count: number, make: () => T, keep: (handle: T) => unknown) {
  const kept: unknown[] = [];
  const refs: WeakRef<T>[] = [];
  for (let i = 0; i < count; i++) {
    const handle = make();
    kept.push(keep(handle));
    refs.push(new WeakRef(handle));
  }
  return { kept, refs };
}

test('a record that keeps a stack keeps nothing else: 100 of 100 dropped handles are collected', async () => {
  const { kept, refs } = makeAndDrop(
    100,
    () => new Handle(),
    (handle) => handle.stack,
  );
  await collectGarbage();
  expect(refs.filter((ref) => ref.deref() !== undefined)).toHaveLength(0);
  expect(kept).toHaveLength(100);
});

test('a record that keeps an unread Error keeps the handle alive, which is why stacks are formatted at once', async () => {
  const { kept, refs } = makeAndDrop(
    100,
    () => new HandleWithRawError(),
    (handle) => handle.error,
  );
  await collectGarbage();
  expect(refs.filter((ref) => ref.deref() !== undefined).length).toBeGreaterThan(90);
  expect(kept).toHaveLength(100);
});
