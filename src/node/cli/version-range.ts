/**
 * Version ranges as package.json of this package has them: `>=20.19`, `^3.9.0`, `^5.0.0 || ^6.0.0`, `*`.
 *
 * Only `tenure doctor` needs them. The package semver would be a dependency of every pool for that. So it is one of the tests
 * only, which compare both.
 */

type Version = readonly [major: number, minor: number, patch: number];

/** Whether a version is in a range. A prerelease counts as its release. */
export function isInRange(version: string, range: string): boolean {
  const actual = parse(version);
  return range.split('||').some((part) => {
    const term = part.trim();
    if (term === '*') return true;
    const least = parse(term.replace(/^\D+/, ''));
    if (compare(actual, least) < 0) return false;
    return !term.startsWith('^') || isCompatible(actual, least);
  });
}

/** Whether all parts up to the first that is not 0 are equal, as `^` demands. */
function isCompatible(actual: Version, least: Version): boolean {
  const first = least.findIndex((part) => part > 0);
  const fixed = first < 0 ? least.length : first + 1;
  return least.slice(0, fixed).every((part, i) => actual[i] === part);
}

function parse(version: string): Version {
  const [major = 0, minor = 0, patch = 0] = version
    .split(/[.+-]/)
    .map((part) => Number.parseInt(part, 10) || 0);
  return [major, minor, patch];
}

function compare(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}
