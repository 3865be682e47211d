/**
 * Measures which line retains memory, as Memory Profiler does with Python's `@profile`.
 *
 * Memory Profiler subtracts the resident memory of the process. That memory does not fall when objects die, so its numbers
 * contradict each other. Here each reading follows a full collection, and counts V8's heap and the memory outside it. V8 has
 * no positions of lines in its own allocation profile, so the rows are marks in the code: each row is the line of its mark.
 */
import { notGenerator } from '../../core/not-generator.js';
import { aFunction, aName, checkArgument } from '../../core/options.js';
import type { MemoryProfile } from './memory-profile.js';
import { MemoryReport } from './memory-report.js';
import { noiseOf } from './noise.js';
import { OtherWork } from './other-work.js';
import { makeReader, type ProfileOptions, resolveProfileOptions } from './profile-options.js';
import { callSite, Recording, type RecordingParts } from './recording.js';
import { RowTable } from './row-table.js';
import { Timeline } from './timeline.js';

/** Result of {@link profileMemory}. */
export interface ProfileResult<R> {
  /** What the body returned, at its last run. */
  readonly result: R;
  /** What was retained, line by line. */
  readonly report: MemoryReport;
}

/** Label of the row that ends with the body. */
const END = '(end)';

/** A profile for the runs that warm up: its marks read nothing. */
const UNMEASURED: MemoryProfile = { mark: () => Promise.resolve() };

/**
 * Runs `body`, and measures what the process retains up to each of its marks.
 *
 * Each reading follows a full collection, so it takes 10 ms to over a second, by the size of the heap: use it in a test or a script, not
 * in a service under load. Figures are true to about 1 kB as long as nothing else runs in the process. Rows during which other
 * work ran say so (`overlapped`). What `body` throws is thrown on.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed argument or option, and for a body that gives
 * a generator.
 * @throws {@link NoCollectorError} (`TENURE_NO_COLLECTOR`) where the host exposes no collector and none is passed.
 * @throws {@link NoMemoryFiguresError} (`TENURE_NO_MEMORY_FIGURES`) where the host tells no figures and none are passed.
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
  const call = (profile: MemoryProfile): R | PromiseLike<R> =>
    notGenerator('profileMemory', body(profile));
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
      for (let run = 0; run < warmup; run++) await call(UNMEASURED);
      const start = warmup > 0 ? await reader.read(true) : beforeWarmup;
      timeline.add(clock.now() - startedAt, start);
      otherWork.takeOverlap();
      const result = await measuredRuns(parts, call, calls, site);
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
    result = await measuredRun(parts, body, END, site);
  }
  return result as Awaited<R>;
}

/** Runs the body once in a recording of its own. The row of its end has the given label and line. */
export async function measuredRun<R>(
  parts: RecordingParts,
  body: (profile: MemoryProfile) => R | PromiseLike<R>,
  label: string,
  site: string,
): Promise<Awaited<R>> {
  const recording = new Recording(parts);
  parts.otherWork.profile = recording;
  try {
    const result = await body(recording);
    await recording.markAt(label, site);
    return result;
  } finally {
    parts.otherWork.profile = undefined;
    await recording.end();
  }
}
