/**
 * The versions of Node that this machine has, for tests that run on each. `scripts/install-nodes.sh` installs them into
 * `.nodes`; `TENURE_NODES` names other folders, joined by colons. A version that is missing is said aloud, and fails where
 * `CI=true`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from './packed-package.js';
import { sayMissing } from './say-missing.js';

/** A Node that can be run. */
export interface InstalledNode {
  readonly major: number;
  readonly executable: string;
}

const SUPPORTED = [20, 22, 24, 26];

/** The Nodes of this machine, one for each supported major version that it has. */
export const nodes: readonly InstalledNode[] = installedNodes();

function installedNodes(): InstalledNode[] {
  const found = new Map<number, string>();
  for (const executable of [process.execPath, ...candidates()]) {
    const { stdout } = spawnSync(executable, ['--version'], { encoding: 'utf8' });
    const major = Number(/^v(\d+)/.exec(stdout ?? '')?.[1]);
    if (SUPPORTED.includes(major) && !found.has(major)) found.set(major, executable);
  }
  const missing = SUPPORTED.filter((major) => !found.has(major));
  if (missing.length > 0) {
    sayMissing(
      `NO NODE ${missing.join(', ')}: run scripts/install-nodes.sh, or set TENURE_NODES. ` +
        'tenure/register is NOT TESTED on these versions.',
    );
  }
  return [...found]
    .map(([major, executable]) => ({ major, executable }))
    .sort((a, b) => a.major - b.major);
}

function candidates(): string[] {
  const folders = (process.env['TENURE_NODES'] ?? join(PROJECT, '.nodes')).split(':');
  return folders
    .flatMap((folder) => [
      join(folder, 'bin/node'),
      ...SUPPORTED.map((major) => join(folder, `${major}/node_modules/node/bin/node`)),
    ])
    .filter((file) => existsSync(file));
}
