/** Ranges of versions, compared with the package semver, which npm uses. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { coerce, satisfies } from 'semver';
import { expect, test } from 'vitest';
import { isInRange } from '../../../src/node/cli/version-range.js';

const { supportedPeers, engines } = JSON.parse(
  readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
) as { supportedPeers: Record<string, string>; engines: { node: string } };

const part = fc.oneof(fc.constantFrom(0, 1), fc.integer({ min: 0, max: 30 }));
const version = fc.tuple(part, part, part).map((parts) => parts.join('.'));
const term = fc.oneof(
  version.map((least) => `^${least}`),
  version.map((least) => `>=${least}`),
  fc.tuple(part, part).map((parts) => `>=${parts.join('.')}`),
  fc.constant('*'),
);
const range = fc.oneof(
  fc.constantFrom(...Object.values(supportedPeers), engines.node),
  fc.array(term, { minLength: 1, maxLength: 3 }).map((terms) => terms.join(' || ')),
);

test('a release is in the ranges that semver says', () => {
  fc.assert(
    fc.property(version, range, (actual, wanted) => {
      expect(isInRange(actual, wanted)).toBe(satisfies(actual, wanted));
    }),
    { numRuns: 5_000 },
  );
});

test('the versions around each end of our own ranges are judged as semver does', () => {
  for (const wanted of [...Object.values(supportedPeers), engines.node]) {
    for (const least of wanted.split('||').map((it) => coerce(it))) {
      const { major, minor, patch } = least as NonNullable<typeof least>;
      for (const actual of [
        `${major}.${minor}.${patch}`,
        `${major}.${minor}.${patch + 1}`,
        `${major}.${minor + 1}.0`,
        `${major + 1}.0.0`,
        `${major - 1}.99.99`,
      ]) {
        if (actual.startsWith('-')) continue;
        expect(isInRange(actual, wanted), `${actual} in ${wanted}`).toBe(satisfies(actual, wanted));
      }
    }
  }
});

test('a prerelease counts as its release, since a project that runs one wants to know of the release', () => {
  expect(isInRange('6.0.0-rc.1', '^5.0.0 || ^6.0.0')).toBe(true);
  expect(isInRange('20.0.0-nightly', '>=20.19')).toBe(false);
});
