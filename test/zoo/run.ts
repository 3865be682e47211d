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
import { type Counts, sumOf } from './counts.js';

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
  const { code } = await runProcess('ablate.js', []);
  return code;
}

async function runLevels(): Promise<number> {
  const levels = values.level === undefined ? LEVELS : [values.level];
  const jobs = levels.flatMap((level) =>
    Array.from({ length: PARTS }, (_, part) => ({ level, part })),
  );
  const counts = new Map<string, Counts[]>(levels.map((level) => [level, []]));
  let exitCode = 0;
  const runJobs = async (): Promise<void> => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
      const ofLevel = counts.get(job.level) ?? [];
      ofLevel.push(await countsOf(job));
      if (ofLevel.length < PARTS) continue;
      const sum = sumOf(ofLevel);
      console.log(summary(job.level, sum));
      if (sum.wrong > 0) exitCode = 1;
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, runJobs));
  return exitCode;
}

/** Throws for a process that ends without its counts. */
async function countsOf({ level, part }: Job): Promise<Counts> {
  const args = [level, `${part}`, `${PARTS}`, values.only];
  const { code, message } = await runProcess('run-level.js', args);
  if (message === undefined) throw new Error(`Part ${part} of ${level} ended with ${code}.`);
  return message as Counts;
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

function summary(level: string, counts: Counts): string {
  return [
    `zoo: ${counts.found} of ${counts.leaks} leaks found`,
    `${counts.falseAlarms} false alarms and ${counts.retracted} retracted ones in ${counts.programs} programs`,
    `${counts.failures} failures; level ${level}, Node ${process.versions.node}`,
  ].join(', ');
}
