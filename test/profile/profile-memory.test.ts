import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, test, vi } from 'vitest';
import type { Clock } from '../../src/core/clock.js';
import { markMemory, type ProfileOptions, profileMemory } from '../../src/profile/index.js';
import { Gate } from '../kit/gate.js';
import { lineOf } from '../kit/line-of.js';
import { FakeProcess } from './fake-process.js';

const FILE = 'test/profile/profile-memory.test.ts';

/** A clock on which no time passes: what waits goes on at once. */
const instantClock: Clock = {
  now: () => 0,
  setTimer: (callback) => {
    queueMicrotask(callback);
    return {};
  },
  clearTimer: () => {},
};

function fake(): { process: FakeProcess; options: ProfileOptions } {
  const process = new FakeProcess();
  return { process, options: { memory: process, gcSource: process, clock: instantClock } };
}

test('charges to each line what was retained up to it, and gives the result of the body', async () => {
  const { process, options } = fake();
  const { result, report } = await profileMemory(
    'import',
    async (profile) => {
      process.retain(5_000);
      await profile.mark('read'); // first mark
      process.retain(-1_000);
      process.retainBuffer(4_096);
      await profile.mark('parsed');
      return 'done';
    },
    options,
  );
  expect(result).toBe('done');
  expect(
    report.rows.map(({ label, heapUsed, arrayBuffers, external }) => [
      label,
      heapUsed,
      arrayBuffers,
      external,
    ]),
  ).toEqual([
    ['read', 5_000, 0, 0],
    ['parsed', -1_000, 4_096, 4_096],
    ['(end)', 0, 0, 0],
  ]);
  expect(report.rows[0]?.site).toMatch(
    new RegExp(`^${FILE}:${lineOf(import.meta.url, '// first mark')}:`),
  );
  expect(report.rows[2]?.site).toContain(FILE);
});

test('marks of one line in a loop are one row, with the first call apart', async () => {
  const { process, options } = fake();
  const { report } = await profileMemory(
    'loop',
    async (profile) => {
      for (let i = 0; i < 5; i++) {
        process.retain(i === 0 ? 9_000 : 100);
        await profile.mark('turn');
      }
    },
    options,
  );
  expect(report.rows[0]).toMatchObject({ calls: 5, heapUsed: 9_400, first: 9_000, leaks: false });
  expect(report.rows[0]?.perCall).toBeUndefined();
});

test('dead objects do not count: each reading follows a collection', async () => {
  const { process, options } = fake();
  const body = async () => process.allocate(1_000_000);
  expect((await profileMemory('clean', body, options)).report.rows[0]?.heapUsed).toBe(0);
  const unforced = await profileMemory('clean', body, { ...options, gc: false });
  expect(unforced.report.rows[0]?.heapUsed).toBe(1_000_000);
  expect(unforced.report.source).toContain('without gc: dead objects count too');
});

test('tells calls that retain memory each time from calls that do so now and then', async () => {
  const { process, options } = fake();
  const retained: Record<string, (call: number) => number> = {
    leak: () => 1_024,
    'leak beside noise': (call) => (call % 5 === 4 ? -3_000 : call % 5 === 3 ? 5_048 : 1_024),
    'compiled thrice': (call) => ([2, 7, 12].includes(call) ? 8_000 : 0),
    'given back': () => -64,
    'less than an object': () => 8,
  };
  for (const [name, bytes] of Object.entries(retained)) {
    let call = 0;
    const body = () => process.retain(bytes(call++));
    const { report } = await profileMemory(name, body, { ...options, calls: 20 });
    expect([name, report.leaks.length]).toEqual([name, name.startsWith('leak') ? 1 : 0]);
  }
});

test('what a later mark gives back is no leak of an earlier one', async () => {
  const { process, options } = fake();
  const { report } = await profileMemory(
    'requests',
    async (profile) => {
      for (let i = 0; i < 20; i++) {
        process.retain(50_000 + 40);
        await profile.mark('parsed');
        process.retain(904);
        await profile.mark('logged');
        process.retain(-30_000 - 40);
        await profile.mark('answered');
        process.retain(-20_000);
        await profile.mark('closed');
      }
    },
    options,
  );
  expect(report.leaks.map(({ label, leakedPerCall }) => [label, leakedPerCall])).toEqual([
    ['logged', 904],
  ]);
});

test('finds a leak of buffers, which are outside the heap', async () => {
  const { process, options } = fake();
  const body = () => process.retainBuffer(65_536);
  const { report } = await profileMemory('buffers', body, { ...options, calls: 12 });
  expect(report.leaks[0]?.perCall).toEqual({ median: 65_536, least: 65_536 });
});

test('waits for a buffer that V8 frees after the collection has returned', async () => {
  const { process, options } = fake();
  const { report } = await profileMemory(
    'late',
    async (profile) => {
      process.retainBuffer(1_000_000);
      await profile.mark('taken');
      process.freeLate(1_000_000);
      await profile.mark('freed');
    },
    options,
  );
  expect(report.rows.map(({ external }) => external)).toEqual([1_000_000, -1_000_000, 0]);
});

test('gives V8 time to sweep the rest of a buffer', async () => {
  const { process, options } = fake();
  let unswept = 0;
  const clock: Clock = {
    ...instantClock,
    setTimer(callback, millis) {
      process.retainBuffer(-unswept);
      unswept = 0;
      return instantClock.setTimer(callback, millis);
    },
  };
  const { report } = await profileMemory(
    'late',
    async (profile) => {
      process.retainBuffer(1_000_000);
      await profile.mark('taken');
      process.retainBuffer(-2_048);
      unswept = 997_952;
      await profile.mark('freed');
    },
    { ...options, clock },
  );
  expect(report.rows.map(({ external }) => external)).toEqual([1_000_000, -1_000_000, 0]);
});

test('runs the body as often as was asked, after runs that are not measured', async () => {
  const { process, options } = fake();
  const body = vi.fn(async (profile) => {
    process.retain(10);
    await profile.mark('turn');
    return body.mock.calls.length;
  });
  const { result, report } = await profileMemory('runs', body, { ...options, calls: 3, warmup: 2 });
  expect(result).toBe(5);
  expect(report.warmup).toEqual({ runs: 2, heapUsed: 20 });
  expect(report.rows[0]).toMatchObject({ calls: 3, heapUsed: 30 });
});

test('prints a table that names the source of the figures and their noise', async () => {
  const { process, options } = fake();
  process.noise = [150, -150];
  const { report } = await profileMemory('orders', () => process.retain(1_500), {
    ...options,
    calls: 8,
  });
  expect(report.noise).toBe(300);
  const lines = String(report).split('\n');
  expect(lines[0]).toBe('orders: memory retained up to each line (measured after gc, noise 300 B)');
  expect(lines[1]).toBe('      heap    (first)    buffers   external  calls  line');
  expect(lines[2]).toMatch(/^ {2}\+1\d\.\d kB .* 8 {2}test\/profile.*:\d+:\d+ {2}\(end\)/);
  expect(String(report)).not.toContain('ncrement');
});

test('says which rows were taken while another profile ran', async () => {
  const { options } = fake();
  const [isIn, mayGo] = [new Gate(), new Gate()];
  const first = profileMemory(
    'first',
    async () => {
      isIn.open();
      await mayGo.passed;
    },
    options,
  );
  await isIn.passed;
  const second = await profileMemory('second', () => {}, options);
  mayGo.open();
  expect(second.report.overlapped).toBe(true);
  expect(String(second.report)).toContain('* other work ran in the process meanwhile');
  expect((await first).report.rows).toHaveLength(1);
});

test('says which rows were taken while timers of other work ran', async () => {
  const { options } = fake();
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const { report } = await profileMemory(
    'beside a timer',
    async (profile) => {
      const start = ticks;
      while (ticks < start + 2) await new Promise((resolve) => setTimeout(resolve, 1));
      await profile.mark('overlapped');
    },
    options,
  );
  clearInterval(timer);
  expect(report.rows[0]?.overlapped).toBe(true);
});

test('its own timers and promises are no other work', async () => {
  // In a process of its own, as a bundle: here the test runner works beside the body, and so does a loader of TypeScript.
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('fixtures/alone.ts', import.meta.url))],
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    write: false,
  });
  const code = outputFiles[0]?.text ?? '';
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', code], {
    encoding: 'utf8',
  });
  expect(stdout).toBe('0 of 20 overlapped\n');
});

test('reads marks that are not awaited one after the other, before the end', async () => {
  const { process, options } = fake();
  const { report } = await profileMemory(
    'hasty',
    (profile) => {
      process.retain(10);
      void profile.mark('a');
      void profile.mark('b');
    },
    options,
  );
  expect(report.rows.map(({ label, heapUsed }) => [label, heapUsed])).toEqual([
    ['a', 10],
    ['b', 0],
    ['(end)', 0],
  ]);
});

test('a body that throws ends the profile, and its marks are refused afterwards', async () => {
  const { options } = fake();
  let late: ((label: string) => Promise<void>) | undefined;
  const failing = profileMemory(
    'failing',
    (profile) => {
      late = (label) => profile.mark(label);
      throw new Error('no rows');
    },
    options,
  );
  await expect(failing).rejects.toThrow('no rows');
  await expect(late?.('late')).rejects.toMatchObject({ code: 'TENURE_PROFILE_ENDED' });
  const { report } = await profileMemory('next', () => {}, options);
  expect(report.overlapped).toBe(false);
});

test('what the body throws is thrown on, also after a mark that failed', async () => {
  const { process, options } = fake();
  const failing = profileMemory(
    'failing',
    async (profile) => {
      process.collect = () => Promise.reject(new Error('no collector'));
      await profile.mark('read').catch((cause: unknown) => {
        throw new Error('no rows', { cause });
      });
    },
    options,
  );
  await expect(failing).rejects.toThrow('no rows');
});

test('a collector that fails rejects the profile', async () => {
  const { process, options } = fake();
  const failing = { collect: () => Promise.reject(new Error('no collector')) };
  const profile = profileMemory('x', () => {}, { ...options, gcSource: failing });
  await expect(profile).rejects.toThrow('no collector');
  expect(process.heapUsed).toBeGreaterThan(0);
});

test('markMemory finds the profile across awaits, and does nothing outside', async () => {
  const { process, options } = fake();
  const load = async () => {
    await Promise.resolve();
    process.retain(7);
    await markMemory('loaded'); // mark below
  };
  await load();
  const { report } = await profileMemory('deep', load, options);
  expect(report.rows[0]).toMatchObject({ label: 'loaded', heapUsed: 7 });
  expect(report.rows[0]?.site).toContain(`:${lineOf(import.meta.url, '// mark below')}:`);
  await expect(markMemory('')).rejects.toMatchObject({ code: 'TENURE_INVALID_ARGUMENT' });
});

test('refuses malformed arguments', async () => {
  const code = { code: 'TENURE_INVALID_ARGUMENT' };
  await expect(profileMemory('', () => {})).rejects.toMatchObject(code);
  await expect(profileMemory('x', 1 as never)).rejects.toMatchObject(code);
  await expect(profileMemory('x', () => {}, { calls: 0 })).rejects.toMatchObject(code);
  await expect(profileMemory('x', () => {}, { rounds: 1 } as never)).rejects.toMatchObject(code);
  const { options } = fake();
  await expect(profileMemory('x', (p) => p.mark(''), options)).rejects.toMatchObject(code);
});

test('a body that gives a generator is refused: nothing of it has run', async () => {
  const { options } = fake();
  for (const warmup of [0, 1]) {
    const measured = profileMemory('lines', function* () {}, { ...options, warmup });
    await expect(measured).rejects.toThrow('profileMemory: the function returned a generator');
  }
});

test('a long loop keeps its verdict in a series of fixed size', async () => {
  const { process, options } = fake();
  const { report } = await profileMemory('long', () => process.retain(32), {
    ...options,
    calls: 1_500,
  });
  expect(report.leaks[0]).toMatchObject({ calls: 1_500, perCall: { median: 32, least: 32 } });
  expect(report.samples.length).toBeLessThanOrEqual(1_024);
});
