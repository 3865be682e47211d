/**
 * Reads a generated heap snapshot of 1 GB, and prints what each step takes: `npx tsx bench/profile/snapshot.ts [NODES]`. It is no
 * part of `npm run bench`, which must not need 1 GB of disk and 1.5 GB of memory.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSnapshot } from '../../src/node/profile/index.js';
import { census } from '../../src/profile/index.js';
import { isEntry } from '../command-line.js';
import { generateSnapshot } from './generate-snapshot.js';

/** Gives a file of 1 GB. */
const NODES = 16_500_000;

if (isEntry(import.meta.url)) await measure();

async function measure(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tenure-bench-'));
  try {
    const file = join(folder, 'generated.heapsnapshot');
    const nodes = generateSnapshot(file, Number(process.argv[2] ?? NODES));
    console.log(`${(statSync(file).size / 1e6).toFixed(0)} MB, ${nodes} nodes`);
    const before = process.cpuUsage();
    const print = (step: string): void => {
      const { user, system } = process.cpuUsage(before);
      const peak = process.resourceUsage().maxRSS / 1e3;
      console.log(
        `${step.padEnd(16)} ${((user + system) / 1e6).toFixed(1)} s cpu, peak ${peak.toFixed(0)} MB RSS`,
      );
    };
    const snapshot = await openSnapshot(file);
    print('read');
    const counted = census(snapshot);
    print(`${counted.rows.length} kinds`);
    counted.retained(0);
    print('retained sizes');
    snapshot.pathTo(nodes - 1);
    print('shortest paths');
  } finally {
    rmSync(folder, { recursive: true });
  }
}
