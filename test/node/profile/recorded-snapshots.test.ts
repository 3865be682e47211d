/** Snapshots of Node 20 to 26, compared with what Chromium's DevTools said of each of their nodes. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { census } from 'tenure/profile';
import { openSnapshot } from 'tenure/profile/v8';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../kit/temporary-folder.js';
import { differencesFrom } from './oracle/differences.js';
import { recordedFigures, recordedSnapshots, recordedText } from './recorded/recorded-figures.js';

const folder = temporaryFolder();
const recorded = Object.entries(recordedSnapshots());

test('each supported version of Node is recorded', () => {
  expect(recorded.map(([major, { node }]) => [major, node.split('.')[0]])).toEqual(
    ['20', '22', '24', '26'].map((major) => [major, `v${major}`]),
  );
});

describe.each(recorded)('a snapshot of Node %s', (major, { nodeCount, totalSize, classes }) => {
  const file = join(folder, `${major}.heapsnapshot`);
  writeFileSync(file, recordedText(Number(major)));

  test('has the dominator, distance, retained size, kind and line of each node that DevTools has', async () => {
    const theirs = recordedFigures(Number(major));
    expect(differencesFrom(theirs, await openSnapshot(file)).slice(0, 10)).toEqual([]);
  });

  test('has the figures of the program that DevTools has', async () => {
    const snapshot = await openSnapshot(file);
    const counted = census(snapshot);
    expect([snapshot.nodeCount, counted.total.size]).toEqual([nodeCount, totalSize]);
    for (const [name, theirs] of Object.entries(classes)) {
      const nodes = snapshot.nodesOf(name);
      const ours = {
        count: counted.row(name).total.count,
        retainedSize: nodes.reduce((sum, node) => sum + counted.retained(node).bytes, 0),
        distance: Math.min(...nodes.map((node) => snapshot.pathTo(node).length - 1)),
      };
      expect(ours, name).toEqual(theirs);
    }
    // Ten buffers of 8,000 bytes are in the figures, so these are no figures of an empty snapshot.
    expect(classes['Leaky']?.retainedSize).toBeGreaterThan(80_000);
  });
});
