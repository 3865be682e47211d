/** Finds out how much readings differ if nothing happens. */
import type { MemoryReader } from './memory-source.js';
import { Recording, type RecordingParts } from './recording.js';
import { RowTable } from './row-table.js';
import { Timeline } from './timeline.js';

/** Readings by which the noise is known. */
const NOISE_READINGS = 3;

/** Marks after which V8 has compiled this package's own code. It took up to 30 when measured, on Node 20 to 26. */
const COMPILING_MARKS = 40;

/** Real marks that may follow until one changes nothing. Other work in the process may never let that happen. */
const MAX_QUIETING_MARKS = 8;

/** Whether a profile of this process has had V8 compile this package's own code. */
let isCompiled = false;

/**
 * Gives the greatest difference between readings between which nothing happens, in bytes of V8's heap.
 *
 * Marks of a table that is thrown away come first. V8 compiles this package's own code meanwhile, which would otherwise be
 * charged to the first 30 marks. Those that only serve to compile collect nothing, since a collection takes up to a second.
 */
export async function noiseOf(parts: Omit<RecordingParts, 'table' | 'timeline'>): Promise<number> {
  const { reader } = parts;
  const scratch = { ...parts, table: new RowTable(), timeline: new Timeline() };
  if (!isCompiled) {
    isCompiled = true;
    await mark(new Recording({ ...scratch, reader: reader.withoutCollections() }), COMPILING_MARKS);
  }
  const recording = new Recording(scratch);
  for (let i = 0; i < MAX_QUIETING_MARKS; i++) {
    const { heapUsed } = reader.last;
    await mark(recording, 1);
    if (reader.last.heapUsed === heapUsed) break;
  }
  await reader.read(true);
  return spreadOf(reader);
}

async function mark(recording: Recording, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await recording.mark('warm-up');
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
