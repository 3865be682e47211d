/** Tells whether memory grows: samples the heap after full collections, and compares the lowest of the first and of the last third. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Finding } from './verdict.js';

/** Samples of one run. */
const SAMPLES = 30;

/** Part of the run without samples, while caches fill and V8 compiles. */
const WARM_UP = 0.2;

/** V8 compiles for at least so long, in seconds; a shorter run is half over by then. */
const MIN_WARM_UP_SECONDS = 30;

/** Bytes by which the lowest samples may differ: V8 goes on compiling. */
const NOISE_BYTES = 1_500_000;

/** Bytes by which the highest sample may exceed the lowest: what is in progress while the servers hang. */
const PEAK_BYTES = 8_000_000;

export class HeapWatch {
  readonly #every: number;
  readonly #from: number;
  readonly #collect: () => void;
  readonly #samples: number[] = [];

  constructor(seconds: number) {
    this.#every = Math.max(1, Math.floor(seconds / SAMPLES));
    this.#from = Math.max(seconds * WARM_UP, Math.min(MIN_WARM_UP_SECONDS, seconds / 2));
    setFlagsFromString('--expose-gc');
    this.#collect = runInNewContext('gc') as () => void;
  }

  /** Takes a sample if one is due. Call it once a second. */
  at(second: number): void {
    if (second < this.#from || second % this.#every !== 0) return;
    this.#collect();
    this.#samples.push(process.memoryUsage().heapUsed);
  }

  verdict(): Finding[] {
    const third = Math.floor(this.#samples.length / 3);
    const first = Math.min(...this.#samples.slice(0, third));
    const last = Math.min(...this.#samples.slice(-third));
    const [lowest, highest] = [Math.min(...this.#samples), Math.max(...this.#samples)];
    return [
      {
        what: 'heap after collection, lowest of the first and of the last third',
        figure: `${megabytes(first)}, ${megabytes(last)}`,
        isFine: third > 0 && last - first < NOISE_BYTES,
      },
      {
        what: 'heap after collection, lowest and highest of all',
        figure: `${megabytes(lowest)}, ${megabytes(highest)}`,
        isFine: highest - lowest < PEAK_BYTES,
      },
    ];
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(2)} MB`;
}
