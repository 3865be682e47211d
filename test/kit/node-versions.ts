/**
 * The versions of Node that a test runs programs on: the one that runs the test, and those whose executables `NODES` names,
 * separated by colons. Versions that are supported and not there are said to be missing.
 */
import { execFileSync } from 'node:child_process';

export interface NodeVersion {
  readonly major: string;
  readonly executable: string;
}

/** Even versions from the lowest that the package supports. */
const SUPPORTED = ['20', '22', '24', '26'];

export function nodeVersions(): NodeVersion[] {
  const others = (process.env['NODES'] ?? '').split(':').filter((path) => path !== '');
  const found = [process.execPath, ...others].map((executable) => ({
    executable,
    major: execFileSync(executable, ['-p', 'process.versions.node'], { encoding: 'utf8' }).split(
      '.',
    )[0] as string,
  }));
  const missing = SUPPORTED.filter((major) => !found.some((node) => node.major === major));
  if (missing.length > 0) {
    console.warn(
      `NOT TESTED on Node ${missing.join(', ')}: name executables in NODES, separated by colons.`,
    );
  }
  return found;
}
