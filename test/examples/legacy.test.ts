/** The service that knows nothing of tenure, run under the flag as a user runs it: in processes of its own, on a real Postgres. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { canStart } from '../integrations/postgres/postgres-server.js';
import { lineOf } from '../kit/line-of.js';
import { PROJECT } from '../kit/packed-package.js';

const LEGACY = `${PROJECT}/examples/legacy`;

test.skipIf(!canStart)(
  'the leaking line is named under load, and the healthy twin reads NO LEAKS',
  async () => {
    const { code, output } = await demo('--legacy', '--seconds', '2');
    const line = lineOf(new URL('orders-leaky.mjs', `file://${LEGACY}/`).href, 'pool.connect()');
    expect(code, output).toBe(0);
    const [leaky = '', fixed = ''] = output.split('server.mjs fixed');
    expect(leaky).toContain(`acquired at  examples/legacy/orders-leaky.mjs:${line}:`);
    expect(leaky).toMatch(/it was never released: GET \/orders\/:id/);
    for (const page of ['README.md', 'docs/guide/register.md']) {
      expect(reportIn(readFileSync(`${PROJECT}/${page}`, 'utf8')), page).toBe(reportIn(leaky));
    }
    expect(leaky).not.toContain('NO LEAKS');
    expect(fixed).toContain('tenure: NO LEAKS');
    expect(fixed).toMatch(/answers {4}200 ×[\d,]+ {3}404 ×\d+\n/);
    expect(fixed).toMatch(/watched: pool "pg postgres" 0\/10 out, 0 waiting; [\d,]+ loans so far/);
  },
  60_000,
);

test('no file of the service imports tenure', () => {
  const files = readdirSync(LEGACY).filter((file) => file.endsWith('.mjs'));
  expect(files).toContain('server.mjs');
  for (const file of files) {
    expect(readFileSync(`${LEGACY}/${file}`, 'utf8')).not.toMatch(/(from|import\()\s*['"`]tenure/);
  }
});

/** The report of a text, without what depends on the load: the figures, and whether a lost connection was seen in use. */
function reportIn(text: string): string | undefined {
  const report = /\norphaned .*?\n {2}sig /s.exec(text)?.[0];
  return report
    ?.replace(/^( {2}(heap|seen) ).*/gm, '$1')
    .replace(/^ {2}last touch {3}"in use" .*\n/m, '')
    .replace(/ ×\d+/, '')
    .replace(/\d[\d.]*m?/g, '#');
}

function demo(...args: string[]): Promise<{ readonly code: number; readonly output: string }> {
  const { DATABASE_URL: _given, ...inherited } = process.env;
  const env = { ...inherited, POOL_TIMEOUT_MILLIS: '20000' }; // A busy machine may take long to open a connection.
  return new Promise((resolve) => {
    const program = [process.execPath, '--import', 'tsx', 'examples/service/main.ts', ...args];
    const [command = '', ...rest] = program;
    execFile(command, rest, { cwd: PROJECT, env }, (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), output: stdout + stderr });
    });
  });
}
