import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Census, census } from 'tenure/profile';
import { openSnapshot, type V8Snapshot } from 'tenure/profile/v8';
import { beforeAll, describe, expect, test } from 'vitest';
import { nodes } from '../../kit/node-versions.js';
import { temporaryFolder } from '../../kit/temporary-folder.js';

const PROGRAM = fileURLToPath(new URL('fixtures/program.cjs', import.meta.url));
const folder = temporaryFolder();

describe.each(nodes)('a snapshot of Node $major', ({ major, executable }) => {
  let snapshot: V8Snapshot;
  let later: V8Snapshot;
  let counted: Census;

  beforeAll(async () => {
    const file = join(folder, `${major}.heapsnapshot`);
    execFileSync(executable, [PROGRAM, file], { stdio: 'pipe' });
    snapshot = await openSnapshot(file);
    later = await openSnapshot(`${file}.later`);
    counted = census(snapshot);
  });

  const only = (kind: string): number => {
    const [node] = snapshot.nodesOf(kind);
    if (node === undefined) throw new Error(`no ${kind}`);
    return node;
  };

  test('counts the objects of a class', () => {
    expect(counted.row('Leaky').total.count).toBe(10);
    expect(counted.row('Value').total.count).toBe(5);
    expect(counted.total.count).toBe(snapshot.nodeCount);
  });

  test('says which objects came since an earlier one', () => {
    const grown = census(later, { since: counted });
    expect(grown.row('Leaky').total.count).toBe(3);
    expect(grown.row('Pool').total.count).toBe(0);
  });

  test('says what retains an object, and how much it retains', () => {
    expect(counted.retained(only('Leaky')).bytes).toBeGreaterThan(8000);
    expect(counted.retained(only('Pool')).bytes).toBeGreaterThan(80_000);
    expect(counted.row('Leaky').retained().bytes).toBeGreaterThan(80_000);
    // What only weak references hold is not below the root.
    expect(counted.retained(0).bytes).toBeGreaterThan(counted.total.size * 0.99);
    expect(counted.retained(0).bytes).toBeLessThanOrEqual(counted.total.size);
    const path = snapshot.pathTo(only('Leaky'));
    const names = path.map(({ kind, edge }) => [edge?.name, kind]);
    expect(names.slice(-3, -1)).toEqual([
      ['pool', 'Pool'],
      ['#slots', 'Array'],
    ]);
    expect(names.at(-1)?.[1]).toBe('Leaky');
  });

  test('holds the value of a WeakMap by its key', () => {
    const keys = snapshot.nodesOf('Key');
    const dominators = counted.dominators();
    for (const value of snapshot.nodesOf('Value')) {
      expect(keys).toContain(dominators.dominatorOf(value));
    }
  });

  test('names the file and line of functions, generators and constructors', () => {
    const line = (node: number): string => {
      const location = snapshot.locationOf(node);
      return `${location?.file.split('/').at(-1)}:${location?.line}`;
    };
    const onTick = snapshot.nodesOf('Function').find((node) => snapshot.nameOf(node) === 'onTick');
    expect(line(onTick as number)).toBe('program.cjs:30');
    const objects = Array.from({ length: snapshot.nodeCount }, (_, node) => node);
    const atLine31 = objects.filter((node) => line(node) === 'program.cjs:31');
    expect(atLine31.map((node) => snapshot.typeOf(node))).toContain(
      major === 20 ? 'closure' : 'object',
    );
    const leaky = snapshot.nodesOf('Leaky').find((node) => snapshot.locationOf(node));
    expect(line(leaky as number)).toBe('program.cjs:7');
    expect(snapshot.locationOf(only('Array'))).toBeUndefined();
  });

  test('divides objects by their referrers', () => {
    const holders = counted.row('Leaky').by('referrers').rows;
    expect(holders.map(({ count }) => count)).toEqual([10]);
  });
});
