/** What package.json promises about other packages, and what typedoc.json covers. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ENTRIES } from '../scripts/bundle-sizes.js';

interface Manifest {
  readonly supportedPeers: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

function json<T>(file: string): T {
  return JSON.parse(readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')) as T;
}

const manifest = json<Manifest>('package.json');
const peers = Object.entries(manifest.supportedPeers);

test.each(peers)('of %s, %s is supported, which ends before an untested major', (name, range) => {
  const majors = range.split(' || ').map((part) => /^\^(\d+)\.\d+\.\d+$/.exec(part)?.[1]);
  expect(majors.at(-1)).toBe(manifest.devDependencies[name]?.split('.')[0]);
  expect(majors).not.toContain(undefined);
});

test('npm installs the package beside any version of the packages that it has adapters for', () => {
  const names = peers.map(([name]) => name);
  expect(manifest.peerDependencies).toEqual(Object.fromEntries(names.map((name) => [name, '*'])));
  expect(manifest.peerDependenciesMeta).toEqual(
    Object.fromEntries(names.map((name) => [name, { optional: true }])),
  );
});

test('the package by its own name gives every subpath that needs neither Node nor another package', () => {
  const index = readFileSync(new URL('../src/index.ts', import.meta.url), 'utf8');
  const isApart = /^src\/(index|node|integrations|testing)\b/;
  const files = [...ENTRIES.values()].filter((file) => !isApart.test(file));
  const missing = files.filter((file) => {
    const specifier = file.replace(/^src\//, './').replace(/\.ts$/, '.js');
    return !index.includes(`export * from '${specifier}';`);
  });
  expect(files.length).toBeGreaterThan(10);
  expect(missing).toEqual([]);
});

test('the API documentation covers every subpath', () => {
  const { entryPoints } = json<{ readonly entryPoints: readonly string[] }>('typedoc.json');
  expect(entryPoints.toSorted()).toEqual([...ENTRIES.values()].toSorted());
});
