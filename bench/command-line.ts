/** How a bench file is run alone: `npm run bench:one bench/pool/beside-peers.ts 15`. */
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { printGroup } from './compare.js';
import type { Row, Section } from './row.js';

/** Whether the module is what the command line names, and not imported by another one. */
export function isEntry(moduleUrl: string): boolean {
  const [, entry] = process.argv;
  return entry !== undefined && realpathSync(entry) === fileURLToPath(moduleUrl);
}

/** The number at this place of the arguments, from 0. */
export function numberArgument(place: number, fallback: number): number {
  return Number(process.argv[2 + place] ?? fallback);
}

/** Prints each group as soon as it is measured, and ends the process, which timers of some peers would keep alive. */
export async function printAndExit(sections: AsyncIterable<Section>): Promise<never> {
  for await (const { group } of sections) printGroup(group);
  process.exit();
}

/** Collects the rows of all sections. */
export async function rowsOf(sections: AsyncIterable<Section>): Promise<Row[]> {
  const all: Row[] = [];
  for await (const { rows } of sections) all.push(...rows);
  return all;
}
