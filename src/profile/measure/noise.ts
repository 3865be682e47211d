/** Finds out how much readings differ if nothing happens. */
import type { MemoryReader } from './memory-source.js';
import { Recording, type RecordingParts } from './recording.js';
import { RowTable } from './row-table.js';
import { Timeline } from './timeline.js';

/** Readings by which the noise is known. */
const NOISE_READINGS = 4;

/** Marks that change nothing, one after the other, after which this package's own code counts as compiled. */
const QUIET_MARKS = 5;
/** Marks to try at most. Other work in the process may never let a mark change nothing. */
const MAX_SCRATCH_MARKS = 40;

/** Whether a profile of this process has had V8 compile this package's own code. */
let isWarm = false;

/**
 * Gives the greatest difference between readings between which nothing happens, in bytes of V8's heap.
 *
 * Readings and marks of a table that is thrown away come first. V8 compiles this package's own code meanwhile, which would
 * otherwise be charged to the first 30 marks. That takes one to three seconds, once in a process.
 */
export async function noiseOf(parts: Omit<RecordingParts, 'table' | 'timeline'>): Promise<number> {
  const { reader } = parts;
  const scratch = new Recording({ ...parts, table: new RowTable(), timeline: new Timeline() });
  let quiet = 0;
  for (let i = 0; i < MAX_SCRATCH_MARKS && quiet < (isWarm ? 1 : QUIET_MARKS); i++) {
    const { heapUsed } = reader.last;
    await scratch.mark('warm-up');
    quiet = reader.last.heapUsed === heapUsed ? quiet + 1 : 0;
  }
  isWarm = true;
  await scratch.end();
  await reader.read(true);
  return spreadOf(reader);
}

async function spreadOf(reader: MemoryReader): Promise<number> {
  let noise = 0;
  for (let i = 0; i < NOISE_READINGS; i++) {
    const before = reader.last.heapUsed;
    const { heapUsed } = await reader.read();
    noise = Math.max(noise, Math.abs(heapUsed - before));
  }
  return noise;
}
