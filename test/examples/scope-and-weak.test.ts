/** The examples of scope and weak, run as a reader runs them. Each says at its end what it prints. */
import { readdirSync, readFileSync } from 'node:fs';
import { format } from 'node:util';
import { afterEach, expect, test, vi } from 'vitest';

const FOLDER = new URL('../../examples/', import.meta.url);
const EXAMPLES = ['scope', 'weak'].flatMap((folder) =>
  readdirSync(new URL(`${folder}/`, FOLDER)).map((file) => `${folder}/${file}`),
);

afterEach(() => {
  vi.restoreAllMocks();
});

test.each(EXAMPLES)('examples/%s prints what it says', async (example) => {
  const source = readFileSync(new URL(example, FOLDER), 'utf8');
  const [, promised = ''] = source.split('// prints:\n');
  const lines = promised.trim().split('\n');
  expect(lines.every((line) => line.startsWith('// '))).toBe(true);
  const printed: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((...values) => void printed.push(format(...values)));
  await import(/* @vite-ignore */ `../../examples/${example}`);
  expect(printed).toEqual(lines.map((line) => line.slice('// '.length)));
});
