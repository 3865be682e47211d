/**
 * The zoo: `npm run zoo [-- --ablate] [--level LEVEL] [--only TEXT]`. Without `--level`, at each level that tracks loans. Exits with 0 only
 * if each leak was found, and nothing else was told.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compileZoo } from './compile.js';
import { isRight, type Result } from './result.js';

const LEVELS = ['counters', 'sampled', 'simple', 'advanced', 'paranoid'];

/** The parts of a level. Each runs in a process of its own, as many at a time as there are cores. */
const PARTS = 4;

/** V8 collects on one thread: there is a process for each core, and most of its time goes into forced collections. */
const NODE_OPTIONS = ['--single-threaded-gc'];

/** One part of a level. */
interface Job {
  readonly level: string;
  readonly part: number;
}

const { values } = parseArgs({
  options: {
    ablate: { type: 'boolean', default: false },
    level: { type: 'string' },
    only: { type: 'string', default: '' },
  },
});

await using compiled = await compileZoo();
process.exitCode = values.ablate ? await ablate() : await runLevels();

async function ablate(): Promise<number> {
  const { code } = await runProcess('run-ablations.js', []);
  return code;
}

async function runLevels(): Promise<number> {
  const levels = values.level === undefined ? LEVELS : [values.level];
  const jobs = levels.flatMap((level) =>
    Array.from({ length: PARTS }, (_, part) => ({ level, part })),
  );
  const parts = new Map<string, Result[][]>(levels.map((level) => [level, []]));
  let exitCode = 0;
  const runJobs = async (): Promise<void> => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
      const ofLevel = parts.get(job.level) ?? [];
      ofLevel.push(await resultsOf(job));
      if (ofLevel.length < PARTS) continue;
      const results = ofLevel.flat();
      console.log(summary(job.level, results));
      if (!results.every(isRight)) exitCode = 1;
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, runJobs));
  return exitCode;
}

/** Throws for a process that fails, or ends without its results. */
async function resultsOf({ level, part }: Job): Promise<Result[]> {
  const args = [level, `${part}`, `${PARTS}`, values.only];
  const { code, message } = await runProcess('run-level.js', args);
  if (code !== 0 || message === undefined) {
    throw new Error(`Part ${part} of ${level} ended with ${code}.`);
  }
  return message as Result[];
}

/** Runs a file of the compiled zoo. Gives how it has ended, and the last message that it has sent. */
async function runProcess(
  file: string,
  args: readonly string[],
): Promise<{ code: number; message: unknown }> {
  const path = join(compiled.folder, 'test/zoo', file);
  const child = spawn(process.execPath, [...NODE_OPTIONS, path, ...args], {
    cwd: compiled.folder,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  let message: unknown;
  child.on('message', (received) => {
    message = received;
  });
  const [code] = await once(child, 'close');
  return { code: code ?? 1, message };
}

function summary(level: string, results: readonly Result[]): string {
  const count = (wanted: Result['verdict']): number =>
    results.filter(({ verdict }) => verdict === wanted).length;
  const leaks = results.filter(({ isLeak }) => isLeak).length;
  return [
    `zoo: ${count('found')} of ${leaks} leaks found`,
    `${count('false alarm')} false alarms and ${count('noise')} retracted ones in ${results.length} programs`,
    `${count('failed')} failures; level ${level}, Node ${process.versions.node}`,
  ].join(', ');
}
