/** The watchdog and V8 about one leak: a process that loses ten of twelve clients. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { census } from 'tenure/profile';
import { openSnapshot, sideBySide, type V8Snapshot } from 'tenure/profile/v8';
import type { LeakReport } from 'tenure/watchdog';
import { beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../../kit/temporary-folder.js';

const folder = temporaryFolder();
let leaks: LeakReport[];
let snapshot: V8Snapshot;

beforeAll(async () => {
  const program = join(folder, 'lost-clients.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL('fixtures/lost-clients.ts', import.meta.url))],
    bundle: true,
    platform: 'node',
    format: 'esm',
    sourcemap: true,
    outfile: program,
  });
  const [report, file] = [join(folder, 'leaks.json'), join(folder, 'app.heapsnapshot')];
  execFileSync(process.execPath, ['--enable-source-maps', program, report, file], {
    stdio: 'pipe',
  });
  leaks = JSON.parse(readFileSync(report, 'utf8'));
  snapshot = await openSnapshot(file);
}, 60_000);

/** What each object of a class retains alone, the smallest first. */
function sizesOf(kind: string): number[] {
  const all = census(snapshot);
  return snapshot
    .nodesOf(kind)
    .map((node) => all.retained(node).bytes)
    .sort((a, b) => a - b);
}

const sum = (sizes: number[]): number => sizes.reduce((total, size) => total + size, 0);

test('says what lost loans retain, as a range where V8 cannot tell which clients they are', () => {
  const [row, ...others] = sideBySide(leaks, snapshot, { kinds: { db: 'Client' } }).rows;
  expect(others).toEqual([]);
  expect(row).toMatchObject({ component: 'pool "db"', lostLoans: 10, growing: 0, objects: 12 });
  const { least = 0, most = 0, source } = row?.lostBytes ?? {};
  expect(source).toBe('retained in V8 by 10 of the 12 Client');
  // Six clients have 1,000 rows, and six 2,000, of 8 bytes each. So the ten smallest are six small and four large ones.
  const sizes = sizesOf('Client');
  const [small = 0, large = 0] = [sizes[0], sizes[11]];
  expect(large - small).toBe(8_000);
  expect(least).toBe(6 * small + 4 * large);
  // The clients share a map and a string, which V8 would free with the last of them.
  const shared = (row?.retainedBytes as number) - sum(sizes);
  expect(shared).toBeLessThan(1_000);
  expect(most).toBe(4 * small + 6 * large + shared);
});

test('holds the true size of each choice of lost clients within its range', () => {
  const row = sideBySide(leaks, snapshot, { kinds: { db: 'Client' } }).rows[0];
  const clients = census(snapshot).row('Client');
  for (const kept of [
    snapshot.nodesOf('Client').slice(0, 2),
    snapshot.nodesOf('Client').slice(-2),
  ]) {
    const isKept = new Set(kept);
    const lost = snapshot.nodesOf('Client').filter((node) => !isKept.has(node));
    const bytes = sum(lost.map((node) => clients.retained(node).bytes));
    expect(bytes).toBeGreaterThanOrEqual(row?.lostBytes?.least as number);
    expect(bytes).toBeLessThanOrEqual(row?.lostBytes?.most as number);
  }
});

test('is exact where all clients are lost, and agrees with what V8 retains', () => {
  const all = [{ ...(leaks[0] as LeakReport), count: 12 }];
  const [row] = sideBySide(all, snapshot, { kinds: { db: 'Client' } }).rows;
  expect(row?.lostBytes).toEqual({
    least: row?.retainedBytes,
    most: row?.retainedBytes,
    source: 'retained in V8 by the 12 Client',
  });
});

test('takes the size of a loan that the caller gives', () => {
  const both = sideBySide(leaks, snapshot, { kinds: {}, bytesPerLoan: { db: 64_000 } });
  expect(both.rows[0]?.lostBytes).toEqual({
    least: 640_000,
    most: 640_000,
    source: 'given, 64000 B a loan',
  });
  expect(String(both).split('\n')[2]).toBe('  V8:     not asked; name the constructor in `kinds`');
});

test('invents no size: neither where V8 has fewer objects than loans, nor without a constructor', () => {
  const more = [{ ...(leaks[0] as LeakReport), count: 13 }];
  const fewer = sideBySide(more, snapshot, { kinds: { db: 'Client' } });
  expect(fewer.rows[0]).not.toHaveProperty('lostBytes');
  expect(String(fewer)).toContain(
    '; fewer than lost loans: is Client the constructor of the resources?',
  );
  expect(sideBySide(leaks, snapshot, { kinds: {} }).rows[0]).not.toHaveProperty('lostBytes');
});

test('does not add up what objects that retain each other retain', () => {
  // Arrays of this process hold arrays.
  const [row] = sideBySide(leaks, snapshot, { kinds: { db: 'Array' } }).rows;
  const sizes = sizesOf('Array');
  expect(row?.lostBytes?.least).toBe(sizes[9]);
  expect(row?.lostBytes?.most).toBe(row?.retainedBytes);
});

test('names each line once, the one that lost most first', () => {
  const [leak] = leaks as [LeakReport];
  const at = (line: number, count: number): LeakReport => {
    return { ...leak, count, site: { ...leak.site, line } as NonNullable<LeakReport['site']> };
  };
  const { rows } = sideBySide([at(7, 3), at(9, 2), at(9, 2)], snapshot, { kinds: {} });
  expect(rows[0]?.sites.map((site) => site.split(':')[1])).toEqual(['9', '7']);
});

test('entries of a cache that grows are no loans, and components of one name have rows of their own', () => {
  const leak: LeakReport = { ...(leaks[0] as LeakReport), count: 10 };
  const entries: LeakReport = {
    ...leak,
    rule: 'growth',
    component: { kind: 'cache', name: 'db' },
    members: 'entry',
    count: 3_000,
  };
  const { rows } = sideBySide([leak, entries], snapshot, { kinds: { other: 'Nothing' } });
  expect(rows.map(({ component, lostLoans, growing }) => [component, lostLoans, growing])).toEqual([
    ['pool "db"', 10, 0],
    ['cache "db"', 0, 3_000],
    ['component "other"', 0, 0],
  ]);
});

test('prints a line of the watchdog and a line of V8', () => {
  const [component, tenure, v8] = String(
    sideBySide(leaks, snapshot, { kinds: { db: 'Client' } }),
  ).split('\n');
  expect(component).toBe('pool "db"');
  expect(tenure).toMatch(
    /^ {2}tenure: 10 lost loans, 1\d\d\.\d kB to 1\d\d\.\d kB \(retained in V8 by 10 of the 12 Client\), taken at .*lost-clients\.ts:28:\d+ {2}\[counts: exact \(simulated\)\]$/,
  );
  expect(v8).toMatch(
    /^ {2}V8: {5}12 Client, 1\d\d\.\d kB retained, held by .*\(\d+\).* {2}\[snapshot, exact at its moment\]$/,
  );
});

test('refuses what is no leak, no snapshot and no table', () => {
  expect(() => sideBySide({} as never, snapshot, { kinds: {} })).toThrow('`leaks`');
  expect(() => sideBySide([], {} as never, { kinds: {} })).toThrow('`snapshot`');
  expect(() => sideBySide([], snapshot, { kinds: { db: 1 } as never })).toThrow('`kinds`');
  const bytesPerLoan = { db: -1 };
  expect(() => sideBySide([], snapshot, { kinds: {}, bytesPerLoan })).toThrow('`bytesPerLoan`');
});
