/**
 * Measures which line retains memory, as Memory Profiler does with Python's `@profile`.
 *
 * Memory Profiler subtracts the resident memory of the process. That memory does not fall when objects die, so its numbers
 * contradict each other. Here each reading follows a full collection, and counts V8's heap and the memory outside it. V8 has
 * no positions of lines in its own allocation profile, so the rows are marks in the code: each row is the line of its mark.
 */
import { aFunction, aName, checkArgument } from '../../core/options.js';
import type { MemoryReader } from './memory-source.js';
import { MemoryReport } from './memory-report.js';
import { OtherWork } from './other-work.js';
import { makeReader, type ProfileOptions, resolveProfileOptions } from './profile-options.js';
import { callSite, type MemoryProfile, Recording, type RecordingParts } from './recording.js';
import { RowTable } from './row-table.js';
import { Timeline } from './timeline.js';

/** Result of {@link profileMemory}. */
export interface ProfileResult<R> {
  /** What the body returned, at its last run. */
  readonly result: R;
  /** What was retained, line by line. */
  readonly report: MemoryReport;
}

/** Readings by which the noise is known. */
const NOISE_READINGS = 4;

/** Marks that change nothing, one after the other, after which this package's own code counts as compiled. */
const QUIET_MARKS = 5;
/** Marks to try at most. Other work in the process may never let a mark change nothing. */
const MAX_SCRATCH_MARKS = 40;

/** Whether a profile of this process has had V8 compile this package's own code. */
let isWarm = false;

/** Label of the row that ends with the body. */
const END = '(end)';

/** A profile for the runs that warm up: its marks read nothing. */
const UNMEASURED: MemoryProfile = { mark: () => Promise.resolve() };

/**
 * Runs `body`, and measures what the process retains up to each of its marks.
 *
 * Each reading follows a full collection, so it takes 5 to 700 ms, by the size of the heap: use it in a test or a script, not
 * in a service under load. Figures are true to about 1 kB as long as nothing else runs in the process. Rows during which other
 * work ran say so (`overlapped`).
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed argument or option.
 * @throws {@link NoCollectorError} (`TENURE_NO_COLLECTOR`) where the host exposes no collector and none is passed.
 * @throws {@link NoMemoryFiguresError} (`TENURE_NO_MEMORY_FIGURES`) where the host tells no figures and none are passed.
 *
 * What `body` throws is thrown on.
 *
 * @example
 * ```ts
 * import { profileMemory } from 'tenure/profile';
 *
 * const cache = new Map<number, string[]>();
 * const { result, report } = await profileMemory('import', async (profile) => {
 *   const rows = Array.from({ length: 1_000 }, (_, i) => `row ${i}`);
 *   await profile.mark('read');
 *   cache.set(1, rows);
 *   await profile.mark('stored');
 *   return rows.length;
 * });
 * result; // => 1000
 * report.rows.map((row) => row.label); // => ['read', 'stored', '(end)']
 * (report.rows[0]?.heapUsed ?? 0) > 8_000; // => true
 * ```
 */
export async function profileMemory<R>(
  name: string,
  body: (profile: MemoryProfile) => R | PromiseLike<R>,
  options: ProfileOptions = {},
): Promise<ProfileResult<Awaited<R>>> {
  checkArgument('profileMemory', 'name', name, aName);
  checkArgument('profileMemory', 'body', body, aFunction);
  const settings = resolveProfileOptions(options);
  const site = callSite(profileMemory);
  const reader = makeReader(settings);
  const { calls, warmup, clock, gc } = settings;
  const table = new RowTable();
  const timeline = new Timeline();
  const otherWork = new OtherWork();
  try {
    return await otherWork.run(async () => {
      const startedAt = clock.now();
      const parts = { reader, table, timeline, clock, otherWork, startedAt };
      table.noise = await noiseOf(parts);
      const beforeWarmup = reader.last;
      for (let run = 0; run < warmup; run++) await body(UNMEASURED);
      const start = warmup > 0 ? await reader.read(true) : beforeWarmup;
      timeline.add(clock.now() - startedAt, start);
      otherWork.takeOverlap();
      const result = await measuredRuns(parts, body, calls, site);
      const report = new MemoryReport({
        name,
        rows: table.rows(),
        samples: timeline.samples(),
        noise: table.noise,
        collected: gc,
        warmup: { runs: warmup, heapUsed: start.heapUsed - beforeWarmup.heapUsed },
      });
      return { result, report };
    });
  } finally {
    otherWork.end();
  }
}

/** Runs the body `calls` times, and gives its last result. */
async function measuredRuns<R>(
  parts: RecordingParts,
  body: (profile: MemoryProfile) => R | PromiseLike<R>,
  calls: number,
  site: string,
): Promise<Awaited<R>> {
  let result: Awaited<R> | undefined;
  for (let call = 0; call < calls; call++) {
    const recording = new Recording(parts);
    try {
      result = await body(recording);
      await recording.markAt(END, site);
    } finally {
      await recording.end();
    }
  }
  return result as Awaited<R>;
}

/**
 * Gives the greatest difference between readings between which nothing happens.
 *
 * Readings and marks of a table that is thrown away come first. V8 compiles this package's own code meanwhile, which would
 * otherwise be charged to the first 30 marks. That takes one to three seconds, once in a process.
 */
async function noiseOf(parts: RecordingParts): Promise<number> {
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
