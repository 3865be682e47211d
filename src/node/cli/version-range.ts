/** Version ranges as package.json of this package has them: `>=20.19`, `^3.9.0`, `^5.0.0 || ^6.0.0`, `*`. */

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

/** Whether the first part that is not 0 is equal, as `^` demands. */
function isCompatible(actual: Version, least: Version): boolean {
  const fixed = least.findIndex((part) => part > 0);
  return least.slice(0, fixed + 1).every((part, i) => actual[i] === part);
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
