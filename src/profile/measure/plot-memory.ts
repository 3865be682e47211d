/** Draws the memory of a process over time, as `mprof plot` does. */
import {
  aName,
  checkArgument,
  checkOptions,
  numberAtLeast,
  type OptionCheck,
} from '../../core/options.js';
import { type SvgText, svgDocument, svgElement, svgLabel } from '../svg/svg.js';
import { formatBytes } from './format-bytes.js';
import { isSample, type RecordedSample } from './memory-samples.js';

/** Options of {@link plotMemory}. */
export interface PlotOptions {
  /**
   * Title of the picture.
   *
   * @default 'memory'
   */
  readonly title?: string;
  /**
   * Where the figures come from, and how exact they are. Stands below the title.
   *
   * @default 'process.memoryUsage, without gc: dead objects count too'
   */
  readonly source?: string;
  /**
   * Width of the picture, in pixels.
   *
   * @default 900
   */
  readonly width?: number;
  /**
   * Height of the picture, in pixels.
   *
   * @default 400
   */
  readonly height?: number;
}

/** Curves, by the figure that they show. Colours differ in brightness too. */
const CURVES = [
  { figure: 'rss', name: 'resident (rss)', colour: '#7a869a' },
  { figure: 'heapUsed', name: 'heap', colour: '#1f6feb' },
  { figure: 'external', name: 'outside the heap', colour: '#d97706' },
] as const;

const STYLE =
  'text{fill:#1f2328}.grid{stroke:#d0d7de}.mark{stroke:#cf222e;stroke-dasharray:3 3}' +
  '@media(prefers-color-scheme:dark){text{fill:#e6edf3}.grid{stroke:#30363d}}';

const MARGIN = { top: 64, right: 24, bottom: 40, left: 80 };

/** Labels of marks that are drawn. More would cover each other. */
const MAX_MARKS = 20;

/**
 * Draws readings as one SVG: curves of the resident memory, of V8's heap and of the memory outside it, and a line for each mark.
 * The picture stands alone and loads nothing. A figure that is missing leaves its reading out of its curve. Readings are equally
 * far apart if one of them has no time.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option, and for
 * `samples` that are no array of readings.
 *
 * @example
 * ```ts
 * import { plotMemory } from 'tenure/profile';
 *
 * const usage = { heapUsed: 4e6, arrayBuffers: 0, external: 1e6, rss: 50e6 };
 * const svg = plotMemory([
 *   { atMillis: 0, ...usage },
 *   { atMillis: 1_000, ...usage, heapUsed: 9e6, label: 'loaded' },
 * ]);
 * svg.includes('>loaded</text>'); // => true
 * ```
 */
export function plotMemory(samples: readonly RecordedSample[], options: PlotOptions = {}): string {
  const size = numberAtLeast(200);
  const {
    title = 'memory',
    source = 'process.memoryUsage, without gc: dead objects count too',
    width = 900,
    height = 400,
  } = checkOptions<PlotOptions>('plotMemory', options, {
    title: aName,
    source: aName,
    width: size,
    height: size,
  });
  checkArgument('plotMemory', 'samples', samples, someSamples);
  const scale = new Scale(samples, width, height);
  return svgDocument(title, width, height, STYLE, [
    svgLabel(title, { x: MARGIN.left, y: 22, 'font-size': 16, 'font-weight': 600 }),
    svgLabel(source, { x: MARGIN.left, y: 40, opacity: 0.7 }),
    ...legend(),
    ...scale.grid(),
    ...CURVES.map(({ figure, colour }) =>
      svgElement('polyline', {
        points: samples.flatMap((sample, i) => scale.point(i, sample[figure])).join(' '),
        fill: 'none',
        stroke: colour,
        'stroke-width': 1.5,
      }),
    ),
    ...marks(samples, scale, height),
  ]);
}

const someSamples: OptionCheck = (value) =>
  Array.isArray(value) && value.every(isSample)
    ? undefined
    : 'an array of readings, whose figures are numbers within ±2^53';

function legend(): SvgText[] {
  return CURVES.flatMap(({ name, colour }, i) => {
    const x = MARGIN.left + i * 140;
    return [
      svgElement('rect', { x, y: 49, width: 10, height: 3, fill: colour }),
      svgLabel(name, { x: x + 16, y: 55, 'font-size': 11 }),
    ];
  });
}

/** Draws the first mark of each label. */
function marks(samples: readonly RecordedSample[], scale: Scale, height: number): SvgText[] {
  const first = new Map<string, number>();
  for (const [at, { label }] of samples.entries()) {
    if (typeof label === 'string' && !first.has(label)) first.set(label, at);
  }
  return [...first].slice(0, MAX_MARKS).flatMap(([label, at], i) => {
    const x = scale.x(at);
    const y = MARGIN.top + 12 + (i % 4) * 14;
    return [
      svgElement('line', {
        class: 'mark',
        x1: x,
        x2: x,
        y1: MARGIN.top,
        y2: height - MARGIN.bottom,
      }),
      svgLabel(label, { x: x + 3, y, 'font-size': 11 }),
    ];
  });
}

/** Maps readings and bytes to pixels. */
class Scale {
  readonly #width: number;
  readonly #height: number;
  /** Where each reading stands: its time in milliseconds, or its number if not all have a time. */
  readonly #places: readonly number[];
  readonly #hasTimes: boolean;
  readonly #start: number;
  readonly #span: number;
  readonly #topBytes: number;
  readonly #stepBytes: number;

  constructor(samples: readonly RecordedSample[], width: number, height: number) {
    this.#width = width;
    this.#height = height;
    this.#hasTimes = samples.every(({ atMillis }) => atMillis !== undefined);
    this.#places = samples.map(({ atMillis = 0 }, i) => (this.#hasTimes ? atMillis : i));
    this.#start = this.#places.reduce((a, b) => Math.min(a, b), this.#places[0] ?? 0);
    this.#span = this.#places.reduce((span, place) => Math.max(span, place - this.#start), 1);
    const most = samples.reduce(
      (top, sample) => CURVES.reduce((at, { figure }) => Math.max(at, sample[figure] ?? 0), top),
      1,
    );
    this.#stepBytes = roundStep(most / 5);
    this.#topBytes = Math.ceil(most / this.#stepBytes) * this.#stepBytes;
  }

  /** Gives the point of a reading's figure; none if the figure is missing. */
  point(sample: number, bytes: number | undefined): string[] {
    return bytes === undefined
      ? []
      : [`${hundredths(this.x(sample))},${hundredths(this.y(bytes))}`];
  }

  /** Gives the place of a reading, by its number. */
  x(sample: number): number {
    return this.#across((this.#places[sample] as number) - this.#start);
  }

  y(bytes: number): number {
    const { top, bottom } = MARGIN;
    return this.#height - bottom - (bytes / this.#topBytes) * (this.#height - top - bottom);
  }

  grid(): SvgText[] {
    const lines: SvgText[] = [];
    for (let bytes = 0; bytes <= this.#topBytes; bytes += this.#stepBytes) {
      const y = this.y(bytes);
      lines.push(
        svgElement('line', {
          class: 'grid',
          x1: MARGIN.left,
          x2: this.#width - MARGIN.right,
          y1: y,
          y2: y,
        }),
        svgLabel(formatBytes(bytes), { x: MARGIN.left - 8, y: y + 4, 'text-anchor': 'end' }),
      );
    }
    const step = Math.max(roundStep(this.#span / 6), this.#hasTimes ? 0 : 1);
    for (let passed = 0; passed <= this.#span; passed += step) {
      lines.push(
        svgLabel(this.#hasTimes ? formatMillis(passed) : `reading ${passed + 1}`, {
          x: this.#across(passed),
          y: this.#height - MARGIN.bottom + 18,
          'text-anchor': 'middle',
        }),
      );
    }
    return lines;
  }

  #across(passed: number): number {
    const { left, right } = MARGIN;
    return left + (passed / this.#span) * (this.#width - left - right);
  }
}

/** Gives the least of 1, 2 and 5 times a power of ten that is not below `least`. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5].find((factor) => factor * power >= least) ?? 10) * power;
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}

function formatMillis(millis: number): string {
  if (millis < 1_000) return `${Number(millis.toPrecision(3))} ms`;
  return millis < 120_000
    ? `${Number((millis / 1_000).toPrecision(3))} s`
    : `${Number((millis / 60_000).toPrecision(3))} min`;
}
