/** Writes a heap snapshot of this process, after saying what it costs. */
import {
  accessSync,
  constants,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { availableMemory, cpuUsage, resourceUsage } from 'node:process';
import { writeHeapSnapshot } from 'node:v8';
import { InvalidArgumentError } from '../../../core/errors.js';
import {
  aBoolean,
  aFunction,
  aName,
  numberAtLeast,
  type OptionTable,
  option,
  optional,
  resolveOptions,
} from '../../../core/options.js';
import { formatBytes } from '../../../profile/measure/format-bytes.js';
import { removePartial } from '../../remove-partial.js';
import { printOnStderr } from '../../stderr.js';
import { ProfileTooLargeError, SnapshotNotWrittenError } from '../profile-errors.js';
import { JsonFileReader } from './json-file-reader.js';
import { scriptsFileOf } from './open-snapshot.js';
import { scriptNames } from './script-names.js';
import { estimateSnapshot, type SnapshotEstimate } from './snapshot-estimate.js';
import { parseHeader } from './snapshot-header.js';

/** Options of {@link takeSnapshot}. */
export interface TakeSnapshotOptions {
  /** The file to write. It appears when it is complete, and replaces an older one. */
  readonly file: string;
  /**
   * Most memory that V8 may need beside the heap, in bytes. `Infinity` for no limit.
   *
   * @default the memory that is available to the process, with respect to the limit of its container
   */
  readonly maxPeakBytes?: number;
  /**
   * Called with the estimate before anything is done, also before a refusal. What it throws stops the snapshot.
   *
   * @default prints the estimate on standard error
   */
  readonly onEstimate?: (estimate: SnapshotEstimate) => void;
  /**
   * Whether to write the names of scripts beside the snapshot, as `<file>.scripts.json`. `openSnapshot` reads them, and then
   * names the files of functions and constructors. Takes about 0.1 s.
   *
   * @default true
   */
  readonly scripts?: boolean;
}

/** What {@link takeSnapshot} has written, and what it took. */
export interface SnapshotInfo {
  /** The file, as an absolute path. */
  readonly file: string;
  /** Its size in bytes. */
  readonly bytes: number;
  /** Number of nodes in it. */
  readonly nodes: number;
  /** Number of references in it. */
  readonly edges: number;
  /** Time on the cpu that it took, in milliseconds; measured. */
  readonly cpuMillis: number;
  /** The most memory that the process has had resident since it began, in bytes; measured. */
  readonly peakRssBytes: number;
  /** What was expected. */
  readonly estimate: SnapshotEstimate;
}

interface Settings {
  readonly file: string | undefined;
  readonly maxPeakBytes: number | undefined;
  readonly onEstimate: (estimate: SnapshotEstimate) => void;
  readonly scripts: boolean;
}

const OPTIONS: OptionTable<Settings> = {
  file: optional(aName),
  maxPeakBytes: optional(numberAtLeast(0)),
  onEstimate: option(aFunction, printEstimate),
  scripts: option(aBoolean, true),
};

function printEstimate({ text }: SnapshotEstimate): void {
  printOnStderr(`tenure: heap snapshot: ${text}`);
}

/**
 * Writes a heap snapshot of this process. The process stands still meanwhile, 3 µs for each object: liveness probes fail.
 * First it gives an estimate. It refuses a snapshot that needs more memory than there is, which would end the process.
 *
 * @throws {@link ProfileTooLargeError} (`TENURE_PROFILE_TOO_LARGE`) if the estimate is above `maxPeakBytes`.
 * @throws {@link SnapshotNotWrittenError} (`TENURE_PROFILE_NOT_WRITTEN`) if the file cannot be written.
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option.
 *
 * @example
 * ```ts
 * import { takeSnapshot } from 'tenure/profile/v8';
 *
 * const refusal = await takeSnapshot({
 *   file: '/tmp/app.heapsnapshot',
 *   maxPeakBytes: 1_000_000,
 *   onEstimate: () => {},
 * }).catch((error) => error);
 * refusal.code; // => 'TENURE_PROFILE_TOO_LARGE'
 * ```
 */
export async function takeSnapshot(options: TakeSnapshotOptions): Promise<SnapshotInfo> {
  const settings = resolveOptions('takeSnapshot', options, OPTIONS);
  const file = resolve(requiredFile(settings.file));
  const estimate = estimateSnapshot();
  settings.onEstimate(estimate);
  refuseIfTooLarge(estimate, settings.maxPeakBytes ?? availableMemory());
  const partial = `${file}.partial`;
  const before = cpuUsage();
  try {
    checkRoom(file, estimate);
    const scripts = settings.scripts ? JSON.stringify(scriptNames()) : undefined;
    // No `await` here: another call may write the same file.
    writeHeapSnapshot(partial);
    rmSync(scriptsFileOf(file), { force: true });
    if (scripts !== undefined) writeFileSync(scriptsFileOf(file), scripts);
    const { nodeCount, edgeCount } = headerOf(partial);
    const { user, system } = cpuUsage(before);
    renameSync(partial, file);
    return {
      file,
      bytes: statSync(file).size,
      nodes: nodeCount,
      edges: edgeCount,
      cpuMillis: (user + system) / 1000,
      peakRssBytes: resourceUsage().maxRSS * 1024,
      estimate,
    };
  } catch (cause) {
    removePartial(partial);
    if (cause instanceof SnapshotNotWrittenError) throw cause;
    throw new SnapshotNotWrittenError(file, 'Writing failed', cause);
  }
}

function requiredFile(file: string | undefined): string {
  if (file !== undefined) return file;
  throw new InvalidArgumentError('takeSnapshot: `file` is missing. Give the path to write to.');
}

function refuseIfTooLarge({ peakBytes, text }: SnapshotEstimate, maxPeakBytes: number): void {
  if (peakBytes <= maxPeakBytes) return;
  throw new ProfileTooLargeError(
    `takeSnapshot: ${text}. The limit is ${formatBytes(maxPeakBytes)}. ` +
      'Raise `maxPeakBytes` if the machine has the memory, or use sample(), which costs almost nothing.',
    peakBytes,
    maxPeakBytes,
  );
}

/** Finds out before the process stops for seconds that the file cannot be written. */
function checkRoom(file: string, { fileBytes }: SnapshotEstimate): void {
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) {
    throw new SnapshotNotWrittenError(file, 'It is a folder');
  }
  const folder = dirname(file);
  accessSync(folder, constants.W_OK);
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize >= fileBytes) return;
  throw new SnapshotNotWrittenError(
    file,
    `The file may have ${formatBytes(fileBytes)}, and its disk has ${formatBytes(bavail * bsize)} left`,
  );
}

function headerOf(file: string): { nodeCount: number; edgeCount: number } {
  const reader = new JsonFileReader(file);
  try {
    reader.enterObject();
    reader.nextKey();
    return parseHeader(reader.valueText());
  } finally {
    reader.close();
  }
}
