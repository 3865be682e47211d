/** The main example, run as a user runs it: in a process of its own, with a real Postgres. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterEach, expect, test, vi } from 'vitest';
import { startLocalPostgres } from '../../examples/service/local-postgres.js';
import { lineOf } from '../kit/line-of.js';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const LEAKY = new URL('../../examples/service/orders-leaky.ts', import.meta.url).href;
const LEAKING_LINE = lineOf(LEAKY, 'await db.lease()');

interface Demo {
  readonly process: ChildProcess;
  /** What the demo has left in its temporary folder. Other tests start servers in the common one meanwhile. */
  leftFiles(): string[];
  output(): string;
  /** Resolves when the output contains `text`. */
  until(text: string): Promise<void>;
  exitCode(): Promise<number | null>;
}

const WITHIN_20_S = { timeout: 20_000, interval: 50 };

const running = new Set<ChildProcess>();
const folders: string[] = [];

afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** The demo as the script of `package.json` starts it. */
const COMMAND = [process.execPath, '--import', 'tsx', 'examples/service/main.ts'];

function startDemo(
  args: readonly string[],
  environment: Record<string, string> = {},
  [program, ...first]: readonly string[] = COMMAND,
): Demo {
  const { DATABASE_URL: _given, ...inherited } = process.env;
  const folder = mkdtempSync(join(tmpdir(), 'tenure-demo-'));
  chmodSync(folder, 0o755); // Its Postgres may run as another user.
  folders.push(folder);
  const child = spawn(program as string, [...first, ...args], {
    cwd: PROJECT,
    env: { ...inherited, TMPDIR: folder, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let output = '';
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      output += text;
      for (const listener of listeners) listener();
    });
  }
  const closed = once(child, 'close');
  return {
    process: child,
    output: () => output,
    leftFiles: () => readdirSync(folder).filter((name) => name.startsWith('tenure-')),
    until: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (output.includes(text)) resolve();
        };
        listeners.add(look);
        look();
        void closed.then(() => reject(new Error(`it ended without "${text}":\n${output}`)));
      }),
    async exitCode() {
      await closed;
      running.delete(child);
      return child.exitCode;
    },
  };
}

test('the report names the line and the route of the leak during the load, and the fixed service has no leak', async () => {
  const demo = startDemo(['--seconds', '1']);
  expect(await demo.exitCode(), demo.output()).toBe(0);
  const output = demo.output();
  const place = `examples/service/orders-leaky.ts:${LEAKING_LINE}`;
  const told = output.indexOf(`LEAK  GET /orders/:id lost a connection taken at ${place}`);
  expect(told).toBeGreaterThan(0);
  expect(told, 'it is told before the load has ended').toBeLessThan(output.indexOf('req/s'));
  expect(output).toContain(`acquired at  ${place}:`);
  expect(output).toMatch(/pool {9}10\/10 out|pool {9}\d\/10 out/);
  expect(output, 'all requests of the fixed service have ended').toMatch(/^pool {7}0\/10 out/m);
  expect(output).toContain('NO LEAKS');
  expect(output).toMatch(new RegExp(`${place} leaked \\d+ connections on GET /orders/:id`));
  expect(output).not.toContain('\u001b[');
  expect(demo.leftFiles()).toEqual([]);
}, 60_000);

test('the fix is one line', () => {
  const [leaky, fixed] = ['leaky', 'fixed'].map((name) =>
    readFileSync(`${PROJECT}/examples/service/orders-${name}.ts`, 'utf8').split('\n').slice(1),
  ) as [string[], string[]];
  const differing = leaky.flatMap((line, i) => (line === fixed[i] ? [] : [[line, fixed[i]]]));
  expect(leaky).toHaveLength(fixed.length);
  expect(differing).toEqual([
    ['  const lease = await db.lease();', '  await using lease = await db.lease();'],
  ]);
});

test('Ctrl-C under load stops everything and leaves nothing behind', async () => {
  const demo = startDemo(['--seconds', '30']);
  await demo.until('1/30 s');
  demo.process.kill('SIGINT');
  expect(await demo.exitCode(), demo.output()).toBe(130);
  expect(demo.leftFiles()).toEqual([]);
}, 60_000);

test('a demo that is killed leaves no Postgres behind', async () => {
  const demo = startDemo(['--serve']);
  await demo.until('until Ctrl-C');
  demo.process.kill('SIGKILL');
  await demo.exitCode();
  await vi.waitFor(() => expect(demo.leftFiles()).toEqual([]), WITHIN_20_S);
}, 60_000);

test('SIGTERM for npm ends the service too', async () => {
  const demo = startDemo(['--serve'], {}, ['npm', 'run', 'demo', '--']);
  await demo.until('until Ctrl-C');
  const url = /curl (http:\S+)\/healthz/.exec(demo.output())?.[1];
  expect(await status(`${url}/healthz`)).toBe(200);
  demo.process.kill('SIGTERM');
  await vi.waitFor(() => expect(demo.leftFiles()).toEqual([]), WITHIN_20_S);
  await expect(status(`${url}/healthz`)).rejects.toThrow('fetch failed');
}, 60_000);

test('a reader that reads no further ends the demo without a stack trace', async () => {
  const demo = startDemo(['--seconds', '30']);
  await demo.until('── the orders service');
  demo.process.stdout?.destroy();
  await demo.exitCode();
  expect(demo.output()).not.toContain('EPIPE');
  expect(demo.leftFiles()).toEqual([]);
}, 60_000);

test('an id that is no number is refused, and costs no connection', async () => {
  const demo = startDemo(['--serve']);
  await demo.until('until Ctrl-C');
  const url = /curl (http:\S+)\/healthz/.exec(demo.output())?.[1];
  for (const path of ['orders/abc', 'orders/1.5', 'orders/99999999999', 'products/x']) {
    expect(await status(`${url}/${path}`), path).toBe(400);
  }
  const health = (await (await fetch(`${url}/healthz`)).json()) as { pool: { borrowed: number } };
  expect(health.pool.borrowed).toBe(0);
  demo.process.kill('SIGTERM');
  await demo.exitCode();
}, 60_000);

test('DATABASE_URL is used if it is set, and its database is left as it was', async () => {
  await using postgres = await startLocalPostgres();
  const demo = startDemo(['--serve'], { DATABASE_URL: postgres.url });
  await demo.until('until Ctrl-C');
  const url = /curl (http:\S+)\/orders\/1\n/.exec(demo.output())?.[1];
  expect(await status(`${url}/orders/1`)).toBe(200);
  expect(await status(`${url}/products/2`)).toBe(200);
  expect(await status(`${url}/customers/3/orders`)).toBe(200);
  for (let i = 0; i < 10; i++) expect(await status(`${url}/orders/999999`)).toBe(404);
  await demo.until('LEAK LIKELY');
  expect(await status(`${url}/orders/1`), 'the pool is exhausted').toBe(503);
  expect(await status(`${url}/products/2`), 'the cache still answers').toBe(200);
  expect(await status(`${url}/healthz`)).toBe(200);
  demo.process.kill('SIGTERM');
  expect(await demo.exitCode(), demo.output()).toBe(0);
  expect(demo.output()).toContain('the one at DATABASE_URL');
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  const { rows } = await client.query("select 1 from pg_namespace where nspname = 'tenure_demo'");
  await client.end();
  expect(rows).toEqual([]);
}, 60_000);

test('a database that cannot be reached causes an error of one line', async () => {
  const demo = startDemo(['--seconds', '1'], { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/x' });
  expect(await demo.exitCode()).toBe(1);
  expect(demo.output()).toMatch(/could not go on: connect ECONNREFUSED 127\.0\.0\.1:1\n$/);
}, 60_000);

test('an unknown flag is refused, and nothing is started', async () => {
  for (const args of [['--seconds', '0'], ['--seconds', 'two'], ['--sevre']]) {
    const demo = startDemo(args);
    expect(await demo.exitCode()).toBe(2);
    expect(demo.output()).toContain('usage: npm run demo -- [--seconds N] [--serve | --legacy]');
    expect(demo.output()).not.toContain('postgres');
  }
}, 60_000);

async function status(url: string): Promise<number> {
  const response = await fetch(url, { headers: { connection: 'close' } });
  await response.arrayBuffer();
  return response.status;
}
