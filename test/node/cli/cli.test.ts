import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createPool } from 'tenure/pool';
import { Watchdog } from 'tenure/watchdog';
import { expect, test } from 'vitest';
import { runCli } from '../../../src/node/cli/run-cli.js';
import { temporaryFolder } from '../../kit/temporary-folder.js';
import { type WrittenNode, writeSnapshot } from '../profile/written-snapshot.js';

const folder = temporaryFolder();

async function tenure(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const code = await runCli(args, {
    print: (text) => {
      out += `${text}\n`;
    },
    warn: (text) => {
      err += `${text}\n`;
    },
    folder,
    colour: false,
  });
  return { code, out, err };
}

function heapWith(clients: number): WrittenNode[] {
  return [
    { type: 'synthetic', name: '', size: 0, edges: [{ type: 'shortcut', name: 'g', to: 1 }] },
    { name: 'global', size: 40, edges: [{ name: 'pool', to: 2 }] },
    {
      name: 'Pool',
      size: 24,
      edges: Array.from({ length: clients }, (_, i) => ({
        type: 'element' as const,
        name: i,
        to: i + 3,
      })),
    },
    ...Array.from({ length: clients }, () => ({ name: 'Client', size: 100 })),
  ];
}

writeSnapshot(join(folder, 'a.heapsnapshot'), heapWith(2));
writeSnapshot(join(folder, 'b.heapsnapshot'), heapWith(5));

test('census prints the table, what came since, and paths', async () => {
  const plain = await tenure('census', 'b.heapsnapshot', '--retained');
  expect(plain.code).toBe(0);
  expect(plain.out).toContain('Partition of a set of 8 objects. Total size = 564 bytes.');
  expect(plain.out).toMatch(/5 +62 +500 +89 .* Client/);
  expect(plain.out).toContain('Together they retain 8 objects, 564 bytes.');
  const since = await tenure(
    'census',
    'b.heapsnapshot',
    '--since',
    'a.heapsnapshot',
    '--paths',
    'Client',
  );
  expect(since.out).toContain('Partition of a set of 3 objects');
  expect(since.out).toContain('3 × (root) <g> → global .pool → Pool [*] → Client');
});

test('census prints JSON', async () => {
  const { out } = await tenure(
    'census',
    'b.heapsnapshot',
    '--json',
    '--rows',
    '1',
    '--paths',
    'Client',
  );
  expect(JSON.parse(out)).toMatchObject({
    file: 'b.heapsnapshot',
    total: { count: 8, size: 564 },
    rows: [{ label: 'Client', count: 5 }],
    paths: [{ count: 5 }],
  });
});

test.each([
  [['census'], 'Name a snapshot'],
  [['census', 'none.heapsnapshot'], 'cannot be read (ENOENT). Name a file that exists'],
  [['census', 'a.heapsnapshot', 'b.heapsnapshot'], 'is too much'],
  [['census', 'a.heapsnapshot', '--by', 'colour'], '--by must be one of'],
  [['census', 'a.heapsnapshot', '--rows', '0'], '--rows must be an integer ≥ 1'],
  [['census', 'a.heapsnapshot', '--paths', 'Nothing'], 'No counted object is of the kind Nothing'],
  [['census', '--bogus'], "Unknown option '--bogus'"],
  [['report', 'a.heapsnapshot'], 'is no report of a watchdog'],
  [['report', 'none.json'], 'none.json cannot be read: ENOENT'],
  [['report', '.'], '. cannot be read: EISDIR'],
  [['plot', '.'], '. cannot be read: EISDIR'],
  [['plot', 'a.heapsnapshot'], 'line 1 is no reading of memory'],
  [['doctor', 'x'], 'doctor takes no files'],
  [['nothing'], 'there is no command nothing'],
  [['constructor'], 'there is no command constructor'],
  [['help', 'nothing'], 'there is no command nothing'],
  [['--help', 'nothing'], 'there is no command nothing'],
  [['top', 'http://localhost'], 'has no inspector yet'],
  [[], 'usage: tenure COMMAND'],
])('tenure %j fails with advice and exit code 2', async (args, advice) => {
  const { code, out, err } = await tenure(...args);
  expect([code, out]).toEqual([2, '']);
  expect(err).toContain(advice);
});

test('wrong arguments print the usage of their command, and a file that is missing does not', async () => {
  expect((await tenure('census', '--bogus')).err).toContain('\nusage: tenure census FILE');
  expect((await tenure('census', 'none.heapsnapshot')).err).not.toContain('usage:');
});

test('every command explains itself', async () => {
  const { out, code } = await tenure('--help');
  expect(code).toBe(0);
  for (const name of ['census', 'plot', 'report', 'doctor', 'top']) {
    expect(out).toContain(`  ${name} `);
    for (const args of [
      [name, '--help'],
      ['help', name],
    ]) {
      expect((await tenure(...args)).out).toContain(`usage: tenure ${name}`);
    }
  }
});

test.each(['--version', '-v'])('%s prints the version of the package', async (flag) => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  expect(await tenure(flag)).toEqual({ code: 0, out: `${version}\n`, err: '' });
});

test('a file with a byte order mark is read, as PowerShell writes it', async () => {
  writeFileSync(join(folder, 'marked.json'), '\uFEFF[]');
  expect(await tenure('report', 'marked.json')).toEqual({ code: 0, out: 'NO LEAKS\n', err: '' });
  writeFileSync(join(folder, 'marked.jsonl'), '\uFEFF{"rss":5000000}\n');
  expect((await tenure('plot', 'marked.jsonl')).out).toBe('marked.jsonl.svg: 1 sample\n');
});

test('report prints the leaks that a watchdog has written', async () => {
  using watchdog = new Watchdog();
  const pool = createPool({ create: () => ({}), destroy: () => {} }, { name: 'db' });
  watchdog.watch(pool);
  const lease = await watchdog.scope('GET /orders', () => pool.lease());
  const leaks = await watchdog.check();
  writeFileSync(join(folder, 'leaks.json'), JSON.stringify(leaks));
  writeFileSync(join(folder, 'wrapped.json'), JSON.stringify({ leaks }));
  writeFileSync(join(folder, 'none.json'), '[]');
  for (const file of ['leaks.json', 'wrapped.json']) {
    const { code, out } = await tenure('report', file);
    expect(code).toBe(1);
    expect(out).toMatch(/^LEAK.*1 lost loan/);
    expect(out).toContain('cli.test.ts');
  }
  expect(await tenure('report', 'none.json')).toEqual({ code: 0, out: 'NO LEAKS\n', err: '' });
  for (const rule of ['of-a-later-version', 'constructor']) {
    writeFileSync(
      join(folder, 'later.json'),
      JSON.stringify(leaks.map((leak) => ({ ...leak, rule }))),
    );
    const { code, out } = await tenure('report', 'later.json');
    expect(code).toBe(1);
    expect(out).toContain(`${rule}  pool "db"  probable ×1`);
    expect(out).toContain('found by a rule that this version of tenure does not know');
    expect(out).toContain('cli.test.ts');
  }
  const { ageMillis: _, ...incomplete } = leaks[0] ?? {};
  writeFileSync(join(folder, 'incomplete.json'), JSON.stringify([incomplete]));
  expect((await tenure('report', 'incomplete.json')).err).toContain('is no report of a watchdog');
  await lease.release();
  await pool.close();
});

test('plot draws a record, and forgives a line that was cut short', async () => {
  const line = (atMillis: number, label?: string): string =>
    JSON.stringify({ atMillis, rss: 5e7 + atMillis, heapUsed: 4e6, external: 1e6, label });
  writeFileSync(join(folder, 'run.jsonl'), `${line(0, 'a <b>')}\n${line(2000)}\n{"atMi`);
  expect((await tenure('plot', 'run.jsonl')).out).toBe('run.jsonl.svg: 2 samples\n');
  const svg = readFileSync(join(folder, 'run.jsonl.svg'), 'utf8');
  expect(svg).toContain('a &lt;b&gt;');
  expect(svg).toContain('>2 s<');
  expect(svg.match(/<polyline/g)).toHaveLength(3);
  expect(svg).not.toContain('NaN');
});

test('doctor names the packages of the project, and fails for one that is too old', async () => {
  const put = (name: string, version: string): void => {
    mkdirSync(join(folder, 'node_modules', name), { recursive: true });
    writeFileSync(
      join(folder, 'node_modules', name, 'package.json'),
      JSON.stringify({ name, version }),
    );
  };
  put('pg', '8.11.0');
  put('pg-pool', '3.6.0');
  const fine = await tenure('doctor');
  expect(fine.code).toBe(0);
  expect(fine.out).toContain('pg-pool 3.6.0: watched');
  expect(fine.out).toContain('pg 8.11.0: supported');
  expect(fine.out).toContain('tarn: not installed');
  put('pg', '7.0.0');
  put('generic-pool', '99.0.0');
  const { code, out } = await tenure('doctor', '--json');
  expect(code).toBe(1);
  const { peers, pools } = JSON.parse(out);
  expect(peers).toContainEqual(
    expect.objectContaining({ name: 'pg', version: '7.0.0', isSupported: false }),
  );
  expect(pools).toContainEqual({ name: 'generic-pool', version: '99.0.0', isWatched: false });
});

test('doctor names a package.json that is damaged', async () => {
  const damaged = join(folder, 'node_modules/tarn/package.json');
  mkdirSync(join(folder, 'node_modules/tarn'), { recursive: true });
  writeFileSync(damaged, '{"name":');
  const { code, err } = await tenure('doctor');
  expect(code).toBe(2);
  expect(err).toContain(`${damaged} is no JSON`);
  rmSync(damaged);
});

const PROGRAM = [
  '--import',
  fileURLToPath(import.meta.resolve('tsx')),
  fileURLToPath(new URL('../../../src/node/cli/tenure.ts', import.meta.url)),
];

test('the program itself gives exit codes, and colours only where they are wanted', () => {
  const run = (env: Record<string, string>, ...args: string[]) =>
    spawnSync(process.execPath, [...PROGRAM, ...args], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, ...env },
    });
  const coloured = run({ FORCE_COLOR: '1', NO_COLOR: '' }, 'report', 'leaks.json');
  expect([coloured.status, coloured.stdout.includes('\u001b[')]).toEqual([1, true]);
  const plain = run({ FORCE_COLOR: '1', NO_COLOR: '1' }, 'report', 'leaks.json');
  expect([plain.status, plain.stdout.includes('\u001b[')]).toEqual([1, false]);
  for (const off of ['0', 'false']) {
    const { stdout } = run({ FORCE_COLOR: off, NO_COLOR: '' }, 'report', 'leaks.json');
    expect(stdout).not.toContain('\u001b[');
  }
  expect(run({}, 'nothing').status).toBe(2);
  expect(execFileSync(process.execPath, [...PROGRAM, '--help'], { encoding: 'utf8' })).toContain(
    'usage',
  );
});

test.each([
  ['its result', ['report', 'leaks.json'], 'stdout', 1],
  ['its message', ['nothing'], 'stderr', 2],
] as const)(
  'a reader that closes its end before %s comes changes no exit code',
  async (_what, args, stream, code) => {
    const child = spawn(process.execPath, [...PROGRAM, ...args], { cwd: folder });
    child[stream].destroy();
    const [status] = await once(child, 'close');
    expect(status).toBe(code);
  },
);

test.skipIf(!existsSync('/dev/full'))('a full disk is told, and is a failure', () => {
  const full = openSync('/dev/full', 'w');
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [...PROGRAM, ...args], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', full, 'pipe'],
    });
  const { status, stderr } = run('census', 'a.heapsnapshot', '--json');
  closeSync(full);
  expect(status).toBe(2);
  expect(stderr).toContain('tenure: the result cannot be written: ENOSPC');
});
