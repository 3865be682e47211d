/** Whether memory grows: the heap after a full collection, now and then, and the medians of the first and the last third. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Finding } from './verdict.js';

/** How many samples a run takes. */
const SAMPLES = 30;

/** Caches fill and code is compiled before this part of the run is over. */
const WARM_UP = 0.2;

/** What may come and go between two samples, in bytes: what the operations under way happen to hold. */
const NOISE_BYTES = 1_500_000;

export class HeapWatch {
  readonly #every: number;
  readonly #from: number;
  readonly #collect: () => void;
  readonly #samples: number[] = [];

  constructor(seconds: number) {
    this.#every = Math.max(1, Math.floor(seconds / SAMPLES));
    this.#from = seconds * WARM_UP;
    setFlagsFromString('--expose-gc');
    this.#collect = runInNewContext('gc') as () => void;
  }

  /** To be called once a second. */
  at(second: number): void {
    if (second < this.#from || second % this.#every !== 0) return;
    this.#collect();
    this.#samples.push(process.memoryUsage().heapUsed);
  }

  verdict(): Finding[] {
    const third = Math.floor(this.#samples.length / 3);
    const first = median(this.#samples.slice(0, third));
    const last = median(this.#samples.slice(-third));
    return [
      {
        what: 'heap after collection, median of the first and of the last third',
        figure: `${megabytes(first)}, ${megabytes(last)}`,
        isFine: third > 0 && last - first < NOISE_BYTES,
      },
    ];
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(2)} MB`;
}
