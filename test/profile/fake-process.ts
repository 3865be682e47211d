/** A process whose memory a test moves by hand, with a collector. */
import type { GcSource } from '../../src/core/gc-source.js';
import type { MemorySource, MemoryUsage } from '../../src/profile/index.js';

export class FakeProcess implements MemorySource, GcSource {
  heapUsed = 4_000_000;
  /** Added to readings after the warm-up, one after the other, over and over. */
  noise: number[] = [];
  #buffers = 0;
  #garbage = 0;
  /** Buffers that are freed at the collection after the next one. */
  #late = 0;
  #freedNext = 0;
  #readings = 0;

  retain(bytes: number): void {
    this.heapUsed += bytes;
  }

  retainBuffer(bytes: number): void {
    this.#buffers += bytes;
  }

  /** Allocates what is garbage at once. */
  allocate(bytes: number): void {
    this.#garbage += bytes;
  }

  /** Frees a buffer, whose memory leaves the process only after the next collection has returned. */
  freeLate(bytes: number): void {
    this.#late += bytes;
  }

  async collect(): Promise<void> {
    this.#garbage = 0;
    this.#buffers -= this.#freedNext;
    this.#freedNext = this.#late;
    this.#late = 0;
    // The sweep begins to show in the figures at once, and ends later.
    if (this.#freedNext > 0) {
      this.#buffers -= 2_048;
      this.#freedNext -= 2_048;
    }
  }

  memoryUsage(): MemoryUsage {
    const noise = this.noise[this.#readings++ % Math.max(1, this.noise.length)] ?? 0;
    return {
      heapUsed: this.heapUsed + this.#garbage + noise,
      arrayBuffers: this.#buffers,
      external: this.#buffers,
      rss: 50_000_000,
    };
  }
}
