import { expect, test, vi } from 'vitest';
import { parseMemorySamples, plotMemory, recordMemory } from '../../src/profile/index.js';
import { svgDocument, svgElement, svgLabel } from '../../src/profile/svg/svg.js';
import { FailingClock } from '../kit/failing-clock.js';
import { FakeClock } from '../kit/fake-clock.js';
import { FakeProcess } from './fake-process.js';

test('reads the memory at intervals and at marks, until it is disposed of', async () => {
  const [memory, clock] = [new FakeProcess(), new FakeClock()];
  const recording = recordMemory({ everyMillis: 50, memory, clock });
  await clock.advance(100);
  memory.retain(1_000);
  recording.mark('loaded');
  recording[Symbol.dispose]();
  await clock.advance(100);
  recording.mark('late');
  expect(
    recording.samples().map(({ atMillis, heapUsed, label }) => [atMillis, heapUsed, label]),
  ).toEqual([
    [0, 4_000_000, undefined],
    [50, 4_000_000, undefined],
    [100, 4_000_000, undefined],
    [100, 4_001_000, 'loaded'],
    [100, 4_001_000, undefined],
  ]);
  expect(parseMemorySamples(recording.toJsonLines())).toEqual(recording.samples());
});

test('a recording of a week stays below 1,024 readings, and keeps its whole span', async () => {
  const [memory, clock] = [new FakeProcess(), new FakeClock()];
  using recording = recordMemory({ everyMillis: 60_000, memory, clock });
  for (let i = 0; i < 7 * 24 * 60; i++) await clock.advance(60_000);
  const samples = recording.samples();
  expect(samples.length).toBeGreaterThan(500);
  expect(samples.length).toBeLessThanOrEqual(1_024);
  expect(samples[0]?.atMillis).toBe(0);
  expect(samples.at(-1)?.atMillis).toBeGreaterThan(6.9 * 24 * 3_600_000);
});

test('the first reading of each label stays, however much the recording thins out', async () => {
  const [memory, clock] = [new FakeProcess(), new FakeClock()];
  using recording = recordMemory({ everyMillis: 10, memory, clock });
  const labels: string[] = [];
  for (let i = 0; i < 20_000; i++) {
    await clock.advance(10);
    if (i % 77 !== 0) continue;
    labels.push(`mark ${i}`);
    recording.mark(`mark ${i}`);
    recording.mark('again');
  }
  labels.splice(1, 0, 'again');
  const samples = recording.samples();
  const shown = new Set(samples.flatMap(({ label }) => label ?? []));
  expect([...shown]).toEqual(labels.slice(0, 255));
  expect(samples.find(({ label }) => label === 'mark 7700')?.atMillis).toBe(77_010);
  expect(samples.length).toBeLessThanOrEqual(1_024);
});

test.each([2_000, 2_001])('the reading at the end stays, also after %i others', async (others) => {
  const [memory, clock] = [new FakeProcess(), new FakeClock()];
  const recording = recordMemory({ everyMillis: 10, memory, clock });
  for (let i = 0; i < others; i++) await clock.advance(10);
  memory.retain(1_000);
  recording[Symbol.dispose]();
  expect(recording.samples().at(-1)).toEqual({ ...memory.memoryUsage(), atMillis: 10 * others });
});

test('a recording that is disposed of by its own `write` ends', async () => {
  const [memory, clock] = [new FakeProcess(), new FakeClock()];
  let lines = 0;
  const recording = recordMemory({
    everyMillis: 10,
    memory,
    clock,
    write: () => {
      if (++lines === 3) recording[Symbol.dispose]();
    },
  });
  await clock.advance(100);
  expect([lines, clock.pendingTimers]).toEqual([4, 0]);
});

test('goes on by the clock of the system if its own throws', async () => {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
  const [memory, clock] = [new FakeProcess(), new FailingClock()];
  const recording = recordMemory({ everyMillis: 50, memory, clock });
  clock.fails = true;
  clock.failsToClear = true;
  vi.useFakeTimers();
  await clock.advance(50);
  await vi.advanceTimersByTimeAsync(100);
  recording[Symbol.dispose]();
  vi.useRealTimers();
  expect(recording.samples()).toHaveLength(5);
  printed.mockRestore();
});

test('passes each reading on as a line, also when it thins out its own', async () => {
  const [memory, clock] = [new FakeProcess(), new FakeClock()];
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  using recording = recordMemory({ everyMillis: 10, write, memory, clock });
  for (let i = 0; i < 2_000; i++) await clock.advance(10);
  expect(lines).toHaveLength(2_001);
  expect(recording.samples().length).toBeLessThanOrEqual(1_024);
  expect(parseMemorySamples(lines.join('')).at(-1)).toEqual({
    ...memory.memoryUsage(),
    atMillis: 20_000,
  });
});

test('outlives a source of figures that fails, and a writer that fails', async () => {
  const [memory, clock] = [new FakeProcess(), new FakeClock()];
  let isBroken = false;
  const lines: string[] = [];
  const source = {
    memoryUsage: () => {
      if (isBroken) throw new Error('no figures');
      return memory.memoryUsage();
    },
  };
  const print = vi.spyOn(console, 'error').mockImplementation(() => {});
  const recording = recordMemory({
    everyMillis: 10,
    clock,
    memory: source,
    write: (line) => {
      if (lines.push(line) === 2) throw new Error('disk full');
    },
  });
  isBroken = true;
  await clock.advance(10);
  recording.mark('broken');
  isBroken = false;
  await clock.advance(20);
  recording[Symbol.dispose]();
  const messages = print.mock.calls.map(([text]) => String(text));
  print.mockRestore();
  expect(recording.samples().map(({ atMillis }) => atMillis)).toEqual([0, 20, 30, 30]);
  expect(lines).toHaveLength(2);
  expect(messages).toEqual([
    'tenure: error ignored in `memory` of recordMemory:',
    'tenure: error ignored in `write` of recordMemory, which is called no more:',
  ]);
});

test('reads records of other programs, without the line that the end of a process has cut', () => {
  const text = '{"rss":5,"label":"start","pid":7}\n\n{"heapUsed":3,"atMillis":20}\r\n{"rss":';
  expect(parseMemorySamples(text)).toEqual([
    { rss: 5, label: 'start' },
    { heapUsed: 3, atMillis: 20 },
  ]);
  expect(parseMemorySamples('')).toEqual([]);
});

test('refuses malformed options and lines', () => {
  expect(() => recordMemory({ everyMillis: 0 })).toThrow(/`everyMillis` must be/);
  expect(() => recordMemory({ write: 'run.jsonl' as never })).toThrow(/`write` must be/);
  expect(() => parseMemorySamples('\n{"atMillis":1}\n')).toThrow(/line 2 is no reading/);
  expect(() => parseMemorySamples('no')).toThrow(/line 1 is no reading/);
  expect(() => parseMemorySamples('{"rss":1}\nno\n{"rss":1}')).toThrow(/line 2 is no reading/);
  expect(() => parseMemorySamples('{"rss":1}\nno\n')).toThrow(/line 2 is no reading/);
  expect(() => parseMemorySamples('{"rss":"1"}\n')).toThrow(/line 1 is no reading/);
  expect(() => parseMemorySamples('{"rss":1,"external":null}\n')).toThrow(/line 1 is no reading/);
  expect(() => parseMemorySamples('{"rss":1,"atMillis":1e308}\n')).toThrow(/line 1 is no reading/);
  expect(() => plotMemory([], { width: 10 })).toThrow(/`width` must be a number ≥ 200/);
  for (const wrong of [
    { atMillis: Infinity },
    { atMillis: -1e308 },
    { rss: NaN },
    { rss: '1' },
    null,
  ]) {
    const samples = [{ rss: 1, atMillis: 0 }, wrong] as never;
    expect(() => plotMemory(samples)).toThrow(
      /`samples` must be an array of readings, whose figures are/,
    );
  }
});

const usage = { heapUsed: 4e6, arrayBuffers: 0, external: 1e6, rss: 5e7 };

test('draws the curves within the picture, with round numbers on both axes', () => {
  const samples = Array.from({ length: 10 }, (_, i) => ({
    ...usage,
    atMillis: i * 1_000,
    heapUsed: 4e6 + i * 1e6,
  }));
  const svg = plotMemory(samples, { title: 'orders', source: 'measured after gc, noise 0 B' });
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 900 400"/);
  const curves = curvesOf(svg);
  expect(curves).toHaveLength(3);
  for (const [x, y] of curves.flat()) {
    expect(x).toBeGreaterThanOrEqual(80);
    expect(x).toBeLessThanOrEqual(876);
    expect(y).toBeGreaterThanOrEqual(64);
    expect(y).toBeLessThanOrEqual(360);
  }
  const heap = curves[1] as [number, number][];
  expect(heap.every(([, y], i) => i === 0 || y < (heap[i - 1]?.[1] ?? 0))).toBe(true);
  expect(svg).toContain('>10.0 MB</text>');
  expect(svg).toContain('>2 s</text>');
  expect(svg).toContain('>measured after gc, noise 0 B</text>');
});

test('draws nothing, one reading, and the first mark of each label', () => {
  expect(plotMemory([])).toContain('<polyline points=""');
  expect(plotMemory([{ ...usage, atMillis: 0 }])).not.toContain('NaN');
  const marked = [1, 2].map((atMillis) => ({ ...usage, atMillis, label: 'turn <1>' }));
  expect(plotMemory(marked).match(/>turn &lt;1&gt;</g)).toHaveLength(1);
  const foreign = [{ ...usage, atMillis: 0, label: 7 as never }];
  expect(plotMemory(foreign)).toBe(plotMemory([{ ...usage, atMillis: 0 }]));
});

/** The points of each curve: rss, heap, outside the heap. */
function curvesOf(svg: string): [x: number, y: number][][] {
  return [...svg.matchAll(/<polyline points="([^"]*)"/g)].map(([, points = '']) =>
    points
      .split(' ')
      .filter((point) => point !== '')
      .map((point) => point.split(',').map(Number) as [number, number]),
  );
}

test('leaves readings without a figure out of the curve of that figure', () => {
  const svg = plotMemory([
    { atMillis: 5_000, rss: 100 },
    { atMillis: 6_000, heapUsed: 50, label: 'heap only' },
    { atMillis: 7_000, rss: 100, heapUsed: 50 },
  ]);
  const [rss = [], heap = [], external = []] = curvesOf(svg);
  expect(rss.map(([x]) => x)).toEqual([80, 876]); // The first reading is at the left, whenever that was.
  expect(heap.map(([x]) => x)).toEqual([478, 876]);
  expect(external).toEqual([]);
  expect(svg).toContain('>2 s</text>');
  expect(svg).not.toContain('>7 s</text>');
});

test('draws readings equally far apart if one of them has no time', () => {
  const svg = plotMemory([
    { rss: 100, atMillis: 0 },
    { rss: 200, label: 'later' },
    { rss: 300, atMillis: 90_000 },
  ]);
  expect(curvesOf(svg)[0]?.map(([x]) => x)).toEqual([80, 478, 876]);
  expect(svg).toContain('>reading 3</text>');
  expect(svg).not.toMatch(/ s<|NaN/);
});

test('escapes what XML reserves, and replaces what it forbids', () => {
  const svg = svgDocument('a & b', 10, 10, 'a>b{}', [
    svgElement('g', { id: '"<\u0000', opacity: undefined, x: 1 / 3 }),
    svgLabel(']]>\ud800', {}),
  ]);
  expect(svg).toContain('<title>a &amp; b</title><style>a&gt;b{}</style>');
  expect(svg).toContain('<g id="&quot;&lt;\ufffd" x="0.33"/>');
  expect(svg).toContain('<text>]]&gt;\ufffd</text>');
});
