import { expect, test } from 'vitest';
import { parseMemorySamples, plotMemory, recordMemory } from '../../src/profile/index.js';
import { svgDocument, svgElement, svgLabel } from '../../src/profile/svg/svg.js';
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

test('refuses malformed options and lines', () => {
  expect(() => recordMemory({ everyMillis: 0 })).toThrow(/`everyMillis` must be/);
  expect(() => parseMemorySamples('\n{"atMillis":1}\n')).toThrow(/line 2 is no reading/);
  expect(() => parseMemorySamples('no')).toThrow(/line 1 is no reading/);
  expect(() => plotMemory([], { width: 10 })).toThrow(/`width` must be a number ≥ 200/);
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
  const curves = [...svg.matchAll(/<polyline points="([^"]+)"/g)].map(([, points = '']) =>
    points.split(' ').map((point) => point.split(',').map(Number) as [number, number]),
  );
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
