import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Gives the number of the one line of a file that contains a text and is no call of `lineOf`. */
export function lineOf(fileUrl: string, text: string): number {
  const lines = readFileSync(fileURLToPath(fileUrl), 'utf8').split('\n');
  const found = lines.flatMap((line, i) =>
    line.includes(text) && !line.includes('lineOf(') ? [i + 1] : [],
  );
  if (found.length !== 1)
    throw new Error(`"${text}" stands on ${found.length} lines of ${fileUrl}`);
  return found[0] as number;
}
