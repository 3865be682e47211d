/** Draws the memory of a process over time, as `mprof plot` does. */
import { aName, checkOptions, numberAtLeast } from '../../core/options.js';
import { type SvgText, svgDocument, svgElement, svgLabel } from '../svg/svg.js';
import { formatBytes } from './format-bytes.js';
import type { MemorySample } from './timeline.js';

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
 * The picture stands alone and loads nothing.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option.
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
export function plotMemory(samples: readonly MemorySample[], options: PlotOptions = {}): string {
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
  const scale = new Scale(samples, width, height);
  return svgDocument(title, width, height, STYLE, [
    svgLabel(title, { x: MARGIN.left, y: 22, 'font-size': 16, 'font-weight': 600 }),
    svgLabel(source, { x: MARGIN.left, y: 40, opacity: 0.7 }),
    ...legend(),
    ...scale.grid(),
    ...CURVES.map(({ figure, colour }) =>
      svgElement('polyline', {
        points: samples
          .map(
            (sample) =>
              `${hundredths(scale.x(sample.atMillis))},${hundredths(scale.y(sample[figure]))}`,
          )
          .join(' '),
        fill: 'none',
        stroke: colour,
        'stroke-width': 1.5,
      }),
    ),
    ...marks(samples, scale, height),
  ]);
}

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
function marks(samples: readonly MemorySample[], scale: Scale, height: number): SvgText[] {
  const first = new Map<string, number>();
  for (const { label, atMillis } of samples) {
    if (label !== undefined && !first.has(label)) first.set(label, atMillis);
  }
  return [...first].slice(0, MAX_MARKS).flatMap(([label, atMillis], i) => {
    const x = scale.x(atMillis);
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

/** Maps time and bytes to pixels. */
class Scale {
  readonly #width: number;
  readonly #height: number;
  readonly #endMillis: number;
  readonly #topBytes: number;
  readonly #stepBytes: number;

  constructor(samples: readonly MemorySample[], width: number, height: number) {
    this.#width = width;
    this.#height = height;
    this.#endMillis = samples.reduce((end, { atMillis }) => Math.max(end, atMillis), 1);
    const most = samples.reduce(
      (top, sample) => CURVES.reduce((at, { figure }) => Math.max(at, sample[figure]), top),
      1,
    );
    this.#stepBytes = roundStep(most / 5);
    this.#topBytes = Math.ceil(most / this.#stepBytes) * this.#stepBytes;
  }

  x(millis: number): number {
    const { left, right } = MARGIN;
    return left + (millis / this.#endMillis) * (this.#width - left - right);
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
    const step = roundStep(this.#endMillis / 6);
    for (let millis = 0; millis <= this.#endMillis; millis += step) {
      lines.push(
        svgLabel(formatMillis(millis), {
          x: this.x(millis),
          y: this.#height - MARGIN.bottom + 18,
          'text-anchor': 'middle',
        }),
      );
    }
    return lines;
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
