/** A file that takes a record of memory, line by line. */
import { appendFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { aName, checkArgument } from '../../core/options.js';

/**
 * Gives a function that appends to a file, for the option `write` of `recordMemory`. It empties an older file at once. Each
 * line is in the file when the call returns, about 20 µs later, so a record outlives a process that is killed.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a path that is no text, or empty.
 * @throws the error of the file system if the file cannot be written.
 *
 * @example
 * ```ts
 * import { readFileSync, rmSync } from 'node:fs';
 * import { parseMemorySamples, recordMemory } from 'tenure/profile';
 * import { memoryFile } from 'tenure/profile/v8';
 *
 * const file = `/tmp/run-${process.pid}.jsonl`;
 * {
 *   using recording = recordMemory({ everyMillis: 1_000, write: memoryFile(file) });
 *   recording.mark('loaded');
 * }
 * // `npx tenure plot run.jsonl` draws it.
 * parseMemorySamples(readFileSync(file, 'utf8')).map(({ label }) => label); // => [undefined, 'loaded', undefined]
 * rmSync(file);
 * ```
 */
export function memoryFile(file: string): (line: string) => void {
  checkArgument('memoryFile', 'file', file, aName);
  const path = resolve(file); // The process may change its folder.
  writeFileSync(path, '');
  return (line) => appendFileSync(path, line);
}
