/**
 * Readings over time, in columns of a fixed size. A list of objects would grow with each reading, and a profile would take
 * its own list for a leak of the program. When the columns are full, every second reading is dropped, and from then on only
 * every second one is kept. So a recording of any length takes 64 kB. The first reading of each label stays: the plot shows it.
 */
import type { MemoryUsage } from './memory-source.js';

/** A reading of the memory of the process. */
export interface MemorySample extends MemoryUsage {
  /** Time since the start, in milliseconds. */
  readonly atMillis: number;
  /** Label of the mark at which it was taken; absent for a reading between marks. */
  readonly label?: string;
}

/** Readings that a timeline keeps at most. */
const CAPACITY = 1_024;
const FIELDS = 6;
/** Labels that a timeline keeps. Later ones get none, since each would take memory. */
const MAX_LABELS = 256;

/** Gives a reading as an object; without a label if that is empty. */
export function sampleOf(atMillis: number, usage: MemoryUsage, label: string): MemorySample {
  const { heapUsed, arrayBuffers, external, rss } = usage;
  const figures = { atMillis, heapUsed, arrayBuffers, external, rss };
  return label === '' ? figures : { ...figures, label };
}

export class Timeline {
  readonly #columns = new Float64Array(CAPACITY * FIELDS);
  readonly #labels: string[] = [''];
  #length = 0;
  /** Every how many readings one is kept. */
  #stride = 1;
  #skipped = 0;

  /** Adds a reading. The last one of a recording is always kept. O(1), amortised. */
  add(atMillis: number, usage: MemoryUsage, label: string = '', isLast: boolean = false): void {
    const labels = this.#labels.length;
    const labelIndex = this.#labelIndex(label);
    const isFirstOfLabel = labelIndex === labels;
    if (++this.#skipped < this.#stride && !isFirstOfLabel && !isLast) return;
    this.#skipped = 0;
    if (this.#length === CAPACITY) this.#thinOut();
    const at = this.#length++ * FIELDS;
    const columns = this.#columns;
    columns[at] = atMillis;
    columns[at + 1] = usage.heapUsed;
    columns[at + 2] = usage.arrayBuffers;
    columns[at + 3] = usage.external;
    columns[at + 4] = usage.rss;
    columns[at + 5] = labelIndex;
  }

  /** Gives the readings, oldest first. */
  samples(): MemorySample[] {
    return Array.from({ length: this.#length }, (_, i) => {
      const [atMillis = 0, heapUsed = 0, arrayBuffers = 0, external = 0, rss = 0, index = 0] =
        this.#columns.subarray(i * FIELDS, (i + 1) * FIELDS);
      const label = this.#labels[index] as string;
      return sampleOf(atMillis, { heapUsed, arrayBuffers, external, rss }, label);
    });
  }

  #thinOut(): void {
    let kept = 0;
    let lastLabel = 0; // Labels are numbered in the order of their first readings.
    for (let i = 0; i < CAPACITY; i++) {
      const label = this.#columns[i * FIELDS + 5] as number;
      if (i % 2 === 1 && label <= lastLabel) continue;
      lastLabel = Math.max(lastLabel, label);
      this.#columns.copyWithin(kept * FIELDS, i * FIELDS, (i + 1) * FIELDS);
      kept++;
    }
    this.#length = kept;
    this.#stride *= 2;
  }

  #labelIndex(label: string): number {
    const known = this.#labels.indexOf(label);
    if (known >= 0) return known;
    return this.#labels.length < MAX_LABELS ? this.#labels.push(label) - 1 : 0;
  }
}
