/** Opens a heap snapshot of V8: one that this process wrote, or one of another process or of a browser. */
import { readFileSync, statSync } from 'node:fs';
import { availableMemory } from 'node:process';
import { fileURLToPath } from 'node:url';
import { isError } from '../../../core/is-error.js';
import {
  checkArgument,
  numberAtLeast,
  type OptionTable,
  optional,
  resolveOptions,
} from '../../../core/options.js';
import { formatBytes } from '../../../profile/measure/format-bytes.js';
import { BadSnapshotError, ProfileTooLargeError } from '../profile-errors.js';
import { JsonFileReader } from './json-file-reader.js';
import type { ScriptNames } from './location-table.js';
import { readColumns } from './read-columns.js';
import type { SnapshotHeader } from './snapshot-header.js';
import { StringTable } from './string-table.js';
import { V8Snapshot } from './v8-snapshot.js';

/** Options of {@link openSnapshot}. */
export interface OpenSnapshotOptions {
  /**
   * Most memory that the snapshot may take, with dominators and paths, in bytes. About 60 a node and 13 a reference.
   *
   * @default the memory that is available to the process
   */
  readonly maxBytes?: number;
  /**
   * File or URL of each script, by V8's number. Without it, locations name the numbers alone.
   *
   * @default what `takeSnapshot` wrote beside the snapshot, if it is there
   */
  readonly scripts?: ScriptNames;
}

interface Settings {
  readonly maxBytes: number | undefined;
  readonly scripts: ScriptNames | undefined;
}

const OPTIONS: OptionTable<Settings> = {
  maxBytes: optional(numberAtLeast(1)),
  scripts: optional((value) =>
    typeof value === 'object' && value !== null ? undefined : 'an object from numbers to names',
  ),
};

/** Bytes a node: 17 of columns, and what dominators need at their peak. */
const BYTES_PER_NODE = 60;
/** Bytes a reference: 9 of columns, and 4 for its way back. */
const BYTES_PER_EDGE = 13;

/** Name of the file beside a snapshot that has the names of its scripts. */
export function scriptsFileOf(file: string): string {
  return `${file}.scripts.json`;
}

/**
 * Reads a heap snapshot. The file is never in memory as a whole: a file of 1 GB takes less than 1.5 GB with everything that is
 * derived from it. The event loop turns meanwhile.
 *
 * The file must stay as it is while the snapshot is used, since names are read from it when they are asked for.
 *
 * @throws {@link ProfileTooLargeError} (`TENURE_PROFILE_TOO_LARGE`) if the snapshot needs more than `maxBytes`.
 * @throws {@link BadSnapshotError} (`TENURE_PROFILE_BAD_SNAPSHOT`) for a file that is missing, cut short or no snapshot.
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option.
 *
 * @example
 * ```ts
 * import { openSnapshot } from 'tenure/profile/v8';
 *
 * const failure = await openSnapshot('missing.heapsnapshot').catch((error) => error);
 * failure.code; // => 'TENURE_PROFILE_BAD_SNAPSHOT'
 * ```
 */
export async function openSnapshot(
  file: string | { readonly href: string },
  options: OpenSnapshotOptions = {},
): Promise<V8Snapshot> {
  const settings = resolveOptions('openSnapshot', options, OPTIONS);
  checkArgument('openSnapshot', 'file', file, (value) =>
    typeof value === 'string' || value instanceof URL ? undefined : 'a path or a URL',
  );
  const path = typeof file === 'string' ? file : fileURLToPath(file.href);
  try {
    const { size, mtimeMs, ino } = statSync(path);
    const reader = new JsonFileReader(path);
    try {
      const columns = await readColumns(path, reader, (header) => {
        refuseIfTooLarge(path, header, size, settings.maxBytes ?? availableMemory());
      });
      const strings = new StringTable(path, { size, mtimeMs, ino }, columns.stringStarts);
      return new V8Snapshot(path, columns, strings, settings.scripts ?? scriptsBeside(path));
    } finally {
      reader.close();
    }
  } catch (error) {
    if (!isFileSystemError(error)) throw error;
    const advice = 'Name a file that exists, is no folder or pipe, and may be read.';
    throw new BadSnapshotError(path, `it cannot be read (${error.code}).`, error, advice);
  }
}

function refuseIfTooLarge(
  file: string,
  { nodeCount, edgeCount, node, edge }: SnapshotHeader,
  fileBytes: number,
  maxBytes: number,
): void {
  // A digit and a comma are the least that a number takes.
  if (2 * (nodeCount * node.fields + edgeCount * edge.fields) > fileBytes + 2) {
    throw new BadSnapshotError(
      file,
      `it is too short for the ${nodeCount} nodes that it promises.`,
    );
  }
  const bytes = nodeCount * BYTES_PER_NODE + edgeCount * BYTES_PER_EDGE;
  if (bytes <= maxBytes) return;
  throw new ProfileTooLargeError(
    `openSnapshot: ${file} has ${nodeCount} nodes and ${edgeCount} references, which take up to ${formatBytes(bytes)}; the limit is ${formatBytes(maxBytes)}. ` +
      'Open it on a machine with more memory, or raise `maxBytes`.',
    bytes,
    maxBytes,
  );
}

/** The names of scripts are an extra, so a file that is missing or damaged costs the names alone. */
function scriptsBeside(file: string): ScriptNames {
  try {
    const names: unknown = JSON.parse(readFileSync(scriptsFileOf(file), 'utf8'));
    return typeof names === 'object' && names !== null ? (names as ScriptNames) : {};
  } catch {
    return {};
  }
}

function isFileSystemError(error: unknown): error is NodeJS.ErrnoException & { code: string } {
  return isError(error) && 'syscall' in error && 'code' in error;
}
