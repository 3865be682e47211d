import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Only the doc comment of `TenureError` has it. */
const OF_AN_EXAMPLE = 'TENURE_EXAMPLE';

const codesIn = (text: string): string[] => text.match(/\bTENURE_[A-Z0-9_]+\b/g) ?? [];

test('the guide to errors has each code of the package, and no other', () => {
  const sources = readdirSync(`${ROOT}/src`, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(`${ROOT}/src/${file}`, 'utf8'));
  const known = new Set(sources.flatMap(codesIn));
  known.delete(OF_AN_EXAMPLE);
  const told = new Set(codesIn(readFileSync(`${ROOT}/docs/guide/errors.md`, 'utf8')));
  expect([...told].sort()).toEqual([...known].sort());
});
