/** The process of one bench: `child.ts <name> <options as JSON>`. Sends the outcome to its parent. */
import type { BenchModule, Outcome } from './benches.js';
import type { BenchOptions } from './compare.js';
import { BenchSkipped } from './skipped.js';

const [, , name = '', options = '{}'] = process.argv;

const { packages, rows } = (await import(`./${name}.js`)) as BenchModule;

async function outcome(): Promise<Outcome> {
  try {
    return { packages, rows: await rows(JSON.parse(options) as BenchOptions) };
  } catch (error) {
    if (error instanceof BenchSkipped) return { packages, rows: [], skipped: error.message };
    throw error;
  }
}

const result = await outcome();
process.send?.(result, () => process.exit()); // Timers of some peers would keep the process alive.
