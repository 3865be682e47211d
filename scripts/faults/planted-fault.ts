/**
 * The lists of planted faults: for each module, changes of its source that its tests have to find. A fault is a piece of a
 * source file and what the piece is replaced by.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { transform } from 'esbuild';

/** The modules that have a list of faults. Each list is `test/<module>/planted-faults.json`. */
export const FAULTY_MODULES = ['gc', 'pool', 'memoize'] as const;

/** A module that has a list of faults. */
export type FaultyModule = (typeof FAULTY_MODULES)[number];

/** The modules in whose lists a piece of text may occur several times in its file. The first one is replaced. */
const MAY_REPEAT: ReadonlySet<FaultyModule> = new Set(['gc']);

/** One change of the source that the tests have to find. */
export interface PlantedFault {
  /** The source file, from the root of the project. */
  readonly file: string;
  /** The text that is replaced. */
  readonly replace: string;
  /** The text in its place. */
  readonly by: string;
  /** The test files that can find the fault, from the root of the project. @default all tests of the module */
  readonly tests?: readonly string[];
  /** Why no test can find the fault. @default some test has to find it */
  readonly survives?: string;
}

/** Reads the list of a module in the project at `root`. */
export function readFaults(root: string, module: FaultyModule): PlantedFault[] {
  const list = join(root, 'test', module, 'planted-faults.json');
  return JSON.parse(readFileSync(list, 'utf8')) as PlantedFault[];
}

/** Returns the source with the fault in it, or an error that says why the fault cannot be planted. */
export async function plant(
  source: string,
  { file, replace, by }: PlantedFault,
  module: FaultyModule,
): Promise<string | Error> {
  const occurrences = replace === '' ? 0 : source.split(replace).length - 1;
  if (occurrences === 0) return new Error(`its text does not occur in ${file}`);
  if (occurrences > 1 && !MAY_REPEAT.has(module)) {
    return new Error(`its text occurs ${occurrences} times in ${file}`);
  }
  if (replace === by) return new Error('it changes nothing');
  const faulty = source.replace(replace, () => by);
  try {
    await transform(faulty, { loader: 'ts', logLevel: 'silent' });
  } catch (error) {
    return new Error('the file is no TypeScript with it', { cause: error });
  }
  return faulty;
}

/** Describes a fault in one line. */
export function describeFault({ file, replace, by }: PlantedFault): string {
  return `${file}: ${JSON.stringify(replace)} → ${JSON.stringify(by)}`;
}
