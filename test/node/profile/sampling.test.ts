import { Script } from 'node:vm';
import { gunzipSync } from 'node:zlib';
import { Profile } from 'pprof-format';
import { AllocationProfile, type ProfileTextFormat, sample } from 'tenure/profile/v8';
import { beforeAll, describe, expect, test } from 'vitest';

/** Chance of less than one in a billion: an estimate that is off by more than this many standard errors is wrong. */
const SIGMAS = 6;

const OBJECTS = 20_000;

/** An array of eight elements: the array has 32 bytes, and its elements have 16 and 8 for each. */
const OBJECT_BYTES = 32 + 16 + 8 * 8;

function allocateOrders(): unknown[] {
  const orders = [];
  for (let i = 0; i < OBJECTS; i++) orders.push(oneOrder(i));
  return orders;
}

function oneOrder(i: number): unknown {
  return [i, i, i, i, i, i, i, i];
}

let kept: unknown[];
let profile: AllocationProfile;

beforeAll(async () => {
  const sampling = sample({ intervalBytes: 1024 });
  kept = allocateOrders();
  profile = await sampling.stop();
});

test('what a function allocated is estimated within its relative error', () => {
  // V8 inlines `oneOrder` at some time, and then names its caller.
  const row = profile.functions().find(({ name }) => name === 'allocateOrders');
  const bytes = OBJECTS * OBJECT_BYTES;
  const growth = OBJECTS * 8 * 4; // The list of orders, which grows by half again and again.
  expect(kept).toHaveLength(OBJECTS);
  expect(profile.samples).toBeGreaterThan(500);
  expect(row?.totalBytes).toBeGreaterThan(bytes * (1 - SIGMAS * profile.relativeError));
  expect(row?.totalBytes).toBeLessThan((bytes + growth) * (1 + SIGMAS * profile.relativeError));
  expect(row?.relativeError).toBe(row?.samples === 0 ? 1 : 1 / Math.sqrt(row?.samples ?? 0));
  expect(profile.relativeError).toBe(1 / Math.sqrt(profile.samples));
});

test('a row names where its function begins', () => {
  const row = profile.functions().find(({ name }) => name === 'allocateOrders');
  expect(row?.file).toContain('sampling.test.ts');
  expect(row?.line).toBeGreaterThan(0);
});

test('live counts what is alive, and otherwise everything', async () => {
  const drop = async (live: boolean): Promise<AllocationProfile> => {
    const sampling = sample({ intervalBytes: 1024, live });
    for (let i = 0; i < 20; i++) allocateOrders();
    return sampling.stop();
  };
  const [alive, all] = [await drop(true), await drop(false)];
  expect(all.totalBytes).toBeGreaterThan(20 * OBJECTS * OBJECT_BYTES * 0.8);
  expect(alive.totalBytes).toBeLessThan(all.totalBytes / 4);
  expect(alive.source).toContain('still alive at the end; sampled every 1 KiB');
  expect(all.source).toContain('dead or alive');
});

test('one run at a time, and each end makes room for the next', async () => {
  const first = sample();
  expect(() => sample()).toThrow(expect.objectContaining({ code: 'TENURE_PROFILE_SAMPLING' }));
  const [a, b] = await Promise.all([first.stop(), first.stop()]);
  expect(a).toBe(b);
  const disposed = sample();
  disposed[Symbol.dispose]();
  disposed[Symbol.dispose]();
  await expect(disposed.stop()).rejects.toThrow('disposed of');
  expect(() => sample({ intervalBytes: 0 })).toThrow('`intervalBytes`');
  expect(() => sample({ interval: 1 } as never)).toThrow('unknown option');
  await sample().stop();
});

test('pprof-format reads the pprof export', () => {
  const read = Profile.decode(gunzipSync(profile.export('pprof')));
  const text = (index: number | bigint): string =>
    read.stringTable.strings[Number(index)] as string;
  expect(read.sampleType.map(({ type, unit }) => [text(type), text(unit)])).toEqual([
    ['samples', 'count'],
    ['space', 'bytes'],
  ]);
  expect(Number(read.period)).toBe(1024);
  const sum = (value: number): number =>
    read.sample.reduce((total, it) => total + Number(it.value[value]), 0);
  expect(sum(1)).toBe(profile.totalBytes);
  expect(sum(0)).toBe(profile.samples);
  const functionOf = new Map(read.function.map((it) => [Number(it.id), it]));
  const stacks = read.sample.map((it) =>
    it.locationId.map((id) => {
      const location = read.location.find((candidate) => candidate.id === id);
      return text(functionOf.get(Number(location?.line[0]?.functionId))?.name ?? 0);
    }),
  );
  expect(
    stacks.some(
      (stack) =>
        stack.indexOf('oneOrder') < stack.indexOf('allocateOrders') ||
        stack[0] === 'allocateOrders',
    ),
  ).toBe(true);
  expect(
    read.function.every(({ filename }) => Number(filename) < read.stringTable.strings.length),
  ).toBe(true);
});

test('the sums of all formats are equal', () => {
  const collapsed = profile.export('collapsed').trim().split('\n');
  const sum = collapsed.reduce((total, line) => total + Number(line.split(' ').at(-1)), 0);
  expect(sum).toBe(profile.totalBytes);
  const speedscope = JSON.parse(profile.export('speedscope'));
  expect(speedscope.profiles[0].endValue).toBe(profile.totalBytes);
  const bytesIn = (node: { selfSize: number; children: never[] }): number =>
    node.children.reduce((total, child) => total + bytesIn(child), node.selfSize);
  expect(bytesIn(JSON.parse(profile.export('heapprofile')).head)).toBe(profile.totalBytes);
});

test('foreign names break no format', () => {
  const odd = new AllocationProfile(
    {
      head: {
        id: 1,
        selfSize: 0,
        callFrame: { functionName: '(root)', url: '', lineNumber: -1, columnNumber: -1 },
        children: [
          {
            id: 2,
            selfSize: 2 ** 40,
            callFrame: {
              functionName: 'a;b <i>&"\n\u0000',
              url: 'x y;z',
              lineNumber: 0,
              columnNumber: 0,
            },
            children: [],
          },
        ],
      },
      samples: [{ nodeId: 2, size: 2 ** 40 }],
    },
    { intervalBytes: 1, live: true, startedAt: 0 },
  );
  expect(odd.export('collapsed')).toBe(`a b <i>&" \u0000 (x y z:1) ${2 ** 40}\n`);
  expect(odd.export('flamegraph')).toContain('a;b &lt;i&gt;&amp;&quot;');
  expect(odd.export('treemap')).not.toContain('\u0000');
  const read = Profile.decode(gunzipSync(odd.export('pprof')));
  expect(Number(read.sample[0]?.value[1])).toBe(2 ** 40);
  expect(() => odd.export('svg' as ProfileTextFormat)).toThrow('`format` must be one of');
});

/** A function that allocates `selfSize` bytes itself, and calls `children`. */
function called(functionName: string, selfSize: number, ...children: unknown[]): unknown {
  const callFrame = { functionName, url: 'a.js', lineNumber: 0, columnNumber: 0 };
  return { id: functionName.charCodeAt(0), selfSize, callFrame, children };
}

/** The boxes of a picture, in pixels. */
function boxesOf(picture: string) {
  const numberOf = (rect: string, name: string): number =>
    Number(new RegExp(` ${name}="([^"]*)"`).exec(rect)?.[1]);
  return Array.from(
    picture.matchAll(/<g><title>(\w+) .*?<rect([^>]*)>/g),
    ([, name, rect = '']) => {
      const [x, y, width, height] = ['x', 'y', 'width', 'height'].map((side) =>
        numberOf(rect, side),
      );
      return { name, x, y, width, height } as Record<'x' | 'y' | 'width' | 'height', number> & {
        name: string;
      };
    },
  );
}

describe('pictures', () => {
  const sizes = { a: 25, b: 25, c: 20, d: 15, e: 15 };
  const [b, c, d, e] = [called('b', 25), called('c', 20), called('d', 15), called('e', 15)];
  const pictured = new AllocationProfile(
    {
      head: called('(root)', 0, called('a', 25, b, c), d, e),
      samples: Object.entries(sizes).map(([name, size]) => ({ nodeId: name.charCodeAt(0), size })),
    } as never,
    { intervalBytes: 1, live: true, startedAt: 0 },
  );

  test('a treemap is filled by boxes of the right areas, and no two overlap', () => {
    const boxes = boxesOf(pictured.export('treemap'));
    const areas = boxes.map(({ name, width, height }) => [name, (width * height) / 7_200]);
    expect(areas).toEqual(
      Object.entries(sizes).map(([name, size]) => [name, expect.closeTo(size, 1)]),
    );
    for (const [i, a] of boxes.entries()) {
      expect(a.x >= 0 && a.y >= 0 && a.x + a.width <= 1_200 && a.y + a.height <= 600).toBe(true);
      for (const b of boxes.slice(i + 1)) {
        const across = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
        const down = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
        expect(Math.min(across, down)).toBeLessThan(0.02);
      }
    }
  });

  test('a flame graph has each function below its caller, within the picture', () => {
    const picture = pictured.export('flamegraph');
    expect(boxesOf(picture)).toEqual([
      { name: 'a', x: 0, y: 0, width: 840, height: 17 },
      { name: 'b', x: 0, y: 17, width: 300, height: 17 },
      { name: 'c', x: 300, y: 17, width: 240, height: 17 },
      { name: 'd', x: 840, y: 0, width: 180, height: 17 },
      { name: 'e', x: 1_020, y: 0, width: 180, height: 17 },
    ]);
    expect(picture).toContain('viewBox="0 0 1200 58"');
  });
});

test('an empty profile exports to every format', () => {
  const empty = new AllocationProfile(
    {
      head: {
        id: 1,
        selfSize: 0,
        callFrame: { functionName: '(root)', url: '', lineNumber: -1, columnNumber: -1 },
        children: [],
      },
      samples: [],
    },
    { intervalBytes: 512, live: true, startedAt: 0 },
  );
  expect(empty.relativeError).toBe(1);
  expect(empty.functions()).toEqual([]);
  expect(empty.export('collapsed')).toBe('');
  for (const format of ['flamegraph', 'treemap'] as const) {
    expect(empty.export(format)).not.toMatch(/NaN|Infinity/);
  }
  expect(Profile.decode(gunzipSync(empty.export('pprof'))).sample).toEqual([]);
});

test('a script whose source is wrapped begins before its first line: its line and column are not known', async () => {
  const sampling = sample({ intervalBytes: 64 });
  const code = 'Array.from({ length: 5_000 }, (_, i) => ({ i }))';
  const wrapped = { filename: 'wrapped.js', lineOffset: -2, columnOffset: -62 };
  const made: unknown[] = new Script(code, wrapped).runInThisContext();
  const around = await sampling.stop();
  expect(made).toHaveLength(5_000);
  const places = around.functions().filter(({ file }) => file === 'wrapped.js');
  expect(places.length).toBeGreaterThan(0);
  for (const { line, column } of places) {
    expect(line).toBe(0);
    expect(column).toBeGreaterThanOrEqual(0);
  }
  const read = Profile.decode(gunzipSync(around.export('pprof')));
  expect(read.location.flatMap((it) => it.line).every((it) => Number(it.line) >= 0)).toBe(true);
});

test('the table prints the relative error of each figure', () => {
  expect(String(profile)).toMatch(/±\d+(\.\d)? %.*(oneOrder|allocateOrders) \(/);
  expect(String(profile).split('\n')[0]).toContain(`${profile.samples} samples`);
});
