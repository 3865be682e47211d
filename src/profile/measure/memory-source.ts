/** Where memory figures come from: the process, or what a test or another host injects. */
import type { GcSource } from '../../core/gc-source.js';
import { type HostMemoryUsage, memoryUsage, tellsMemoryUsage } from '../../core/host.js';

/** Memory of the process at one moment, in bytes. */
export type MemoryUsage = HostMemoryUsage;

/** A source of memory figures. */
export interface MemorySource {
  /** Gives the memory of the process at this moment. */
  memoryUsage(): MemoryUsage;
}

/** Gives the figures of the host's process, or `undefined` where the host tells none. */
export function hostMemorySource(): MemorySource | undefined {
  return tellsMemoryUsage() ? { memoryUsage } : undefined;
}

/** What {@link MemoryReader} needs. */
export interface ReaderParts {
  readonly memory: MemorySource;
  /** Collects before each reading; `undefined` reads without a collection. */
  readonly gcSource: GcSource | undefined;
  /** Waits for a turn of the event loop in which V8 can sweep buffers. */
  pause(millis: number): Promise<void>;
}

/** How long V8 may take to give back a buffer after a collection has ended. It was up to 200 ms when measured. */
const SWEEP_MILLIS = 100;

/** Changes outside the heap that are too small to come from a buffer, in bytes. */
const SMALL_CHANGE = 1_024;

/** Growth of the heap that is read again, in bytes. */
const LARGE_RISE = 32_768;

/**
 * Reads the memory of the process after a collection. Two readings are taken again:
 *
 * - One that differs from the last one outside the heap, after a pause. V8 frees buffers in the background: their memory leaves
 *   `external` up to 200 ms after the collection has returned.
 * - One that is much higher than the last one. Node 20 sometimes keeps 170 kB until the next collection.
 */
export class MemoryReader {
  readonly #parts: ReaderParts;
  #last: MemoryUsage;

  constructor(parts: ReaderParts) {
    this.#parts = parts;
    this.#last = parts.memory.memoryUsage();
  }

  /** Gives the last reading. */
  get last(): MemoryUsage {
    return this.#last;
  }

  /** Gives a reader that does all but collect and pause, to have its code compiled. */
  withoutCollections(): MemoryReader {
    const nothing = (): Promise<void> => Promise.resolve();
    return new MemoryReader({
      memory: this.#parts.memory,
      gcSource: { collect: nothing, collectNow() {} },
      pause: nothing,
    });
  }

  /** Reads the memory. `mustSettle` waits for buffers in any case. */
  async read(mustSettle: boolean = false): Promise<MemoryUsage> {
    const { gcSource, pause } = this.#parts;
    let usage = await this.#readOnce();
    if (gcSource !== undefined) {
      const mustPause = mustSettle || this.#buffersHaveChanged(usage);
      if (mustPause) await pause(SWEEP_MILLIS);
      if (mustPause || usage.heapUsed - this.#last.heapUsed > LARGE_RISE) {
        usage = await this.#readOnce();
      }
    }
    this.#last = usage;
    return usage;
  }

  async #readOnce(): Promise<MemoryUsage> {
    const { gcSource, memory } = this.#parts;
    await gcSource?.collect(); // Finalizers run, and may let go of more.
    gcSource?.collectNow?.(); // The promises of that collection are garbage by now.
    return memory.memoryUsage();
  }

  #buffersHaveChanged({ arrayBuffers, external }: MemoryUsage): boolean {
    return (
      arrayBuffers !== this.#last.arrayBuffers ||
      Math.abs(external - this.#last.external) > SMALL_CHANGE
    );
  }
}
