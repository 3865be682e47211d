/** The rows of a profile: one for each mark in the code, with what was retained up to it. */

import { type Growth, growthOf } from './growth.js';
import { leaksOf } from './leak-verdict.js';
import type { MemoryUsage } from './memory-source.js';

/** A row of a {@link MemoryReport}: what the process retained between a mark and the reading before it. */
export interface MemoryRow {
  /** Label of the mark. */
  readonly label: string;
  /** Line of the mark: `file:line:column`. */
  readonly site: string;
  /** How many times the mark was reached. */
  readonly calls: number;
  /** Bytes that V8's heap retained, over all calls. Negative if memory was given back. */
  readonly heapUsed: number;
  /** Part of {@link heapUsed} that is of the first call: V8 compiles code and prepares calls then. */
  readonly first: number;
  /** Bytes of ArrayBuffers and Node's Buffers that were retained, over all calls. */
  readonly arrayBuffers: number;
  /** Bytes outside V8's heap that were retained, over all calls. They include {@link arrayBuffers}. */
  readonly external: number;
  /** Memory of the process that was in RAM at the last call, in bytes. A total: it falls late or never. */
  readonly rss: number;
  /** True if other work ran in the process meanwhile: the figures include what it retained. */
  readonly overlapped: boolean;
  /** Bytes by which `heapUsed` differs from one reading to the next if nothing happens. */
  readonly noise: number;
  /**
   * Bytes that each call after the first retains, in V8's heap and outside it: the median, and a lower bound with an error probability of
   * 1 %. Absent below 8 calls, which can prove nothing.
   */
  readonly perCall?: Growth;
  /** True if each call retains at least 16 bytes that no other row gives back. */
  readonly leaks: boolean;
  /** Bytes that each call leaks at least; 0 for a row that does not leak. */
  readonly leakedPerCall: number;
}

/** Points of a row's series. A longer series is thinned out: otherwise it would be memory that grows with each call. */
const POINTS = 64;

/** What a row adds up. All of it is allocated with the row. */
class RowSums {
  readonly label: string;
  readonly site: string;
  calls = 0;
  heapUsed = 0;
  first = 0;
  arrayBuffers = 0;
  external = 0;
  rss = 0;
  overlapped = false;
  /** What was retained after the first call and each later one. */
  readonly #series = new Float64Array(POINTS);
  #length = 0;
  #stride = 1;

  constructor(label: string, site: string) {
    this.label = label;
    this.site = site;
  }

  add(before: MemoryUsage, after: MemoryUsage, overlapped: boolean): void {
    this.heapUsed += after.heapUsed - before.heapUsed;
    this.arrayBuffers += after.arrayBuffers - before.arrayBuffers;
    this.external += after.external - before.external;
    this.rss = after.rss;
    this.overlapped ||= overlapped;
    if (this.calls++ === 0) this.first = this.heapUsed;
    if ((this.calls - 1) % this.#stride === 0) this.#addPoint(this.heapUsed + this.external);
  }

  get growth(): Growth | undefined {
    if (this.#length === 0) return undefined;
    const retained = this.#series.slice(1, this.#length);
    for (const i of retained.keys()) {
      const rise = (this.#series[i + 1] as number) - (this.#series[i] as number);
      retained[i] = rise / this.#stride;
    }
    return growthOf(retained);
  }

  #addPoint(value: number): void {
    if (this.#length === POINTS) {
      for (let i = 0; 2 * i < POINTS; i++) this.#series[i] = this.#series[2 * i] as number;
      this.#length = POINTS / 2;
      this.#stride *= 2;
    }
    this.#series[this.#length++] = value;
  }
}

export class RowTable {
  readonly #rows: RowSums[] = [];
  /** Bytes by which readings differ if nothing happens. */
  noise = 0;

  /** Adds what was retained up to a mark. Gives `true` if the row is new: the table has grown then. */
  add(
    label: string,
    site: string,
    before: MemoryUsage,
    after: MemoryUsage,
    overlapped: boolean,
  ): boolean {
    let row = this.#rows.find((it) => it.label === label && it.site === site);
    const isNew = row === undefined;
    if (row === undefined) {
      row = new RowSums(label, site);
      this.#rows.push(row);
    }
    row.add(before, after, overlapped);
    return isNew;
  }

  /** Gives the rows in the order of their first calls. */
  rows(): MemoryRow[] {
    const growths = this.#rows.map(({ calls, growth }) => ({ calls, growth }));
    const leaks = leaksOf(growths);
    return this.#rows.map((sums, i) => {
      const { label, site, calls, heapUsed, first, arrayBuffers, external, rss, overlapped } = sums;
      const perCall = growths[i]?.growth;
      const leakedPerCall = leaks[i] as number;
      return {
        label,
        site,
        calls,
        heapUsed,
        first,
        arrayBuffers,
        external,
        rss,
        overlapped,
        noise: this.noise,
        ...(perCall !== undefined && { perCall }),
        leaks: leakedPerCall > 0,
        leakedPerCall,
      };
    });
  }
}
