/** Measures how much memory is in use. */
import { setImmediate } from 'node:timers/promises';

/** Bytes in use, array buffers included, after the collector has freed all that it can. */
export async function settledUse(gc: () => void): Promise<number> {
  for (let i = 0; i < 3; i++) {
    await setImmediate();
    gc();
  }
  return bytesInUse();
}

/** Bytes of V8's heap and of array buffers, garbage included. */
export function bytesInUse(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
