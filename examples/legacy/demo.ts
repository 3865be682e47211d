/**
 * Runs a service that knows nothing of tenure under `--import tenure/register`, with load on a real Postgres: once with a leak,
 * once without. `npm run demo -- --legacy` calls it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describeAnswers, runLoad } from '../service/load.js';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

/** In an application, the flag alone: `node --import tenure/register server.mjs`. Here tsx runs tenure from its sources. */
const FLAGS = ['--import', 'tsx', '--import', './src/node/register/index.ts'];

const SERVER = 'examples/legacy/server.mjs';

/** Runs both versions of the service, and gives the exit code of the demo. */
export async function demonstrateLegacy(
  databaseUrl: string,
  seconds: number,
  signal: AbortSignal,
): Promise<number> {
  const leaky = await demonstrate('leaky', databaseUrl, seconds, signal);
  if (signal.aborted) return 130;
  const fixed = await demonstrate('fixed', databaseUrl, seconds, signal);
  if (signal.aborted) return 130;
  const line = /examples\/legacy\/orders-leaky\.mjs:\d+/.exec(leaky)?.[0];
  if (line === undefined) {
    console.error('The line of the leak was not named.');
    return 1;
  }
  if (!fixed.includes('NO LEAKS')) {
    console.error('The fixed service leaks.');
    return 1;
  }
  console.log(`${line} leaked clients. No file of the service mentions tenure.`);
  return 0;
}

/** Runs one version under load, and gives what `tenure/register` wrote. */
async function demonstrate(
  version: 'leaky' | 'fixed',
  databaseUrl: string,
  seconds: number,
  signal: AbortSignal,
): Promise<string> {
  console.log(`── node --import tenure/register server.mjs ${version} ──`);
  const child = spawn(process.execPath, [...FLAGS, SERVER, version], {
    cwd: PROJECT,
    env: { ...process.env, DATABASE_URL: databaseUrl },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close');
  const stop = (): boolean => child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  let report = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    report += text;
  });
  try {
    const [greeting] = (await Promise.race([
      once(createInterface({ input: child.stdout }), 'line'),
      ended.then(() => Promise.reject(new Error(`the service did not start:\n${report}`))),
    ])) as [string];
    const load = await runLoad(greeting.replace('listening on ', ''), seconds, signal);
    console.log(
      `load       ${Math.round(load.requestsPerSecond).toLocaleString('en')} req/s, p50 ${load.p50Millis} ms, p99 ${load.p99Millis} ms`,
    );
    console.log(`answers    ${describeAnswers(load.answers)}\n`);
  } finally {
    stop();
    await ended;
    signal.removeEventListener('abort', stop);
  }
  const last = report.slice(report.lastIndexOf('tenure: '));
  console.log(`${last}\n`);
  return report;
}
