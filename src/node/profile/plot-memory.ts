/** A record of memory as one picture: lines over time, and labelled moments. */

import { escapeXml } from '../../profile/svg/svg.js';

/** One moment of a record. All sizes are in bytes. */
export interface MemorySample {
  /** Time since the start, in milliseconds. */
  readonly atMillis?: number;
  readonly heapUsed?: number;
  readonly external?: number;
  readonly arrayBuffers?: number;
  readonly rss?: number;
  readonly label?: string;
}

const WIDTH = 1000;
const HEIGHT = 420;
const LEFT = 70;
const RIGHT = 20;
const TOP = 50;
const BOTTOM = 40;

/** `external` contains `arrayBuffers`, so the latter has no line of its own. */
const LINES = [
  { name: 'rss', colour: '#4477aa' },
  { name: 'heapUsed', colour: '#cc3311' },
  { name: 'external', colour: '#228833' },
] as const;

/** Gives a record as SVG, with the source of its figures in the title. */
export function plotMemory(samples: readonly MemorySample[], name: string): string {
  const times = samples.map(({ atMillis }, i) => atMillis ?? i);
  const start = least(times);
  const span = Math.max(1, greatest(times) - start);
  const top = roundUp(
    greatest(samples.flatMap((sample) => LINES.map((line) => sample[line.name] ?? 0))),
  );
  const x = (i: number): number =>
    LEFT + (((times[i] as number) - start) / span) * (WIDTH - LEFT - RIGHT);
  const y = (bytes: number): number => HEIGHT - BOTTOM - (bytes / top) * (HEIGHT - TOP - BOTTOM);
  const hasTimes = samples.every(({ atMillis }) => atMillis !== undefined);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    `<text x="${LEFT}" y="18">${escapeXml(name)}: process.memoryUsage(), without forced collections; ${samples.length} samples</text>`,
    ...[0, 0.25, 0.5, 0.75, 1].map(
      (part) =>
        `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${fixed(y(part * top))}" y2="${fixed(y(part * top))}" stroke="#ddd"/><text x="${LEFT - 6}" y="${fixed(y(part * top) + 4)}" text-anchor="end">${fixed((part * top) / 1e6)} MB</text>`,
    ),
    ...LINES.map(({ name: line, colour }, i) => {
      const points = samples.flatMap((sample, at) =>
        sample[line] === undefined ? [] : [`${fixed(x(at))},${fixed(y(sample[line]))}`],
      );
      return `<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${points.join(' ')}"/><text x="${LEFT + i * 90}" y="38" fill="${colour}">${line}</text>`;
    }),
    ...samples.flatMap(({ label }, i) =>
      label === undefined
        ? []
        : [
            `<line x1="${fixed(x(i))}" x2="${fixed(x(i))}" y1="${TOP}" y2="${HEIGHT - BOTTOM}" stroke="#888" stroke-dasharray="3 3"/><text x="${fixed(x(i) + 3)}" y="${TOP + 12}" fill="#555">${escapeXml(label)}</text>`,
          ],
    ),
    `<text x="${WIDTH - RIGHT}" y="${HEIGHT - 12}" text-anchor="end">${hasTimes ? `${fixed(span / 1000)} s` : `${samples.length} samples`}</text>`,
    '</svg>',
    '',
  ].join('\n');
}

function least(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
}

function greatest(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b), 1);
}

/** Gives the next of 1, 2 and 5 times a power of ten. */
function roundUp(bytes: number): number {
  const power = 10 ** Math.floor(Math.log10(bytes));
  return ([1, 2, 5, 10].find((step) => step * power >= bytes) ?? 10) * power;
}

function fixed(value: number): string {
  return String(Math.round(value * 100) / 100);
}
