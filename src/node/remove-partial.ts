/** Removes what has been written of a file that cannot be completed. */
import { rmSync } from 'node:fs';

/** Removes a file, if there is one that can be removed. Never throws: the reader needs the error of the writing. */
export function removePartial(path: string): void {
  try {
    rmSync(path, { force: true }); // Throws all the same where a file stands in the place of a folder.
  } catch {}
}
