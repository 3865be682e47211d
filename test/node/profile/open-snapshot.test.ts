import { appendFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { census } from 'tenure/profile';
import {
  BadSnapshotError,
  openSnapshot,
  ProfileTooLargeError,
  type V8Snapshot,
} from 'tenure/profile/v8';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../kit/temporary-folder.js';
import {
  EDGE_TYPES,
  NODE_TYPES,
  snapshotText,
  type WrittenNode,
  writeSnapshot,
} from './written-snapshot.js';

const folder = temporaryFolder();
const path = join(folder, 'written.heapsnapshot');

const GLOBALS: WrittenNode[] = [
  { type: 'synthetic', name: '', size: 0, edges: [{ type: 'shortcut', name: 'g', to: 1 }] },
  { name: 'global', size: 40, edges: [{ name: 'pool', to: 2 }] },
  { name: 'Pool', size: 24, edges: [{ name: '#slots', to: 3 }] },
  {
    name: 'Array',
    size: 16,
    edges: [
      { type: 'element', name: 0, to: 4 },
      { type: 'element', name: 7, to: 5 },
    ],
  },
  { name: 'Client', size: 100 },
  { name: 'Client', size: 200, edges: [{ type: 'weak', name: 'owner', to: 2 }] },
];

test('nodes, references, kinds and sizes are those of the file', async () => {
  const snapshot = await openSnapshot(writeSnapshot(path, GLOBALS));
  expect([snapshot.nodeCount, snapshot.edgeCount]).toEqual([6, 6]);
  expect(snapshot.nodesOf('Client')).toEqual([4, 5]);
  expect([snapshot.kindOf(0), snapshot.typeOf(0), snapshot.idOf(5), snapshot.sizeOf(5)]).toEqual([
    '(synthetic)',
    'synthetic',
    11,
    200,
  ]);
  expect(snapshot.edgesOf(3)).toEqual([
    { type: 'element', name: 0, to: 4 },
    { type: 'element', name: 7, to: 5 },
  ]);
  expect(snapshot.edgesOf(5)).toEqual([{ type: 'weak', name: 'owner', to: 2 }]);
  expect(census(snapshot).rows[0]).toEqual({
    label: 'Client',
    count: 2,
    size: 300,
    cumulative: 300,
  });
});

test('the order of the fields is read from the file, as is trace_node_id of Node 20', async () => {
  const forms = [
    {
      nodeFields: [
        'type',
        'name',
        'id',
        'self_size',
        'edge_count',
        'trace_node_id',
        'detachedness',
      ],
    },
    {
      nodeFields: ['edge_count', 'self_size', 'future', 'id', 'name', 'type'],
      edgeFields: ['to_node', 'name_or_index', 'type'],
    },
    { separator: ' ,\r\n\t' },
  ];
  const plain = described(await openSnapshot(writeSnapshot(path, GLOBALS)));
  for (const form of forms) {
    expect(described(await openSnapshot(writeSnapshot(path, GLOBALS, form)))).toEqual(plain);
  }
});

test('any graph is read as JSON.parse reads it', async () => {
  const count = 12;
  const edge = fc.record({
    type: fc.constantFrom(...EDGE_TYPES),
    name: fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('a"b', '\\', 'ü\n\u2028', '}],')),
    to: fc.nat(count - 1),
  });
  const graph = fc.array(
    fc.record({
      type: fc.constantFrom(...NODE_TYPES),
      name: fc.string({ unit: 'binary' }),
      size: fc.nat(2 ** 33),
      id: fc.nat(2 ** 32 - 1),
      edges: fc.array(
        edge.map((it) =>
          it.type === 'element' || it.type === 'hidden' ? { ...it, name: it.to } : it,
        ),
        { maxLength: 5 },
      ),
    }),
    { minLength: count, maxLength: count },
  );
  await fc.assert(
    fc.asyncProperty(graph, async (nodes) => {
      const snapshot = await openSnapshot(writeSnapshot(path, nodes));
      for (const [node, { type, name, size, id, edges }] of nodes.entries()) {
        expect(snapshot.typeOf(node)).toBe(type);
        expect(snapshot.nameOf(node)).toBe(JSON.parse(JSON.stringify(name)));
        expect(snapshot.sizeOf(node)).toBe(size);
        expect(snapshot.idOf(node)).toBe(id);
        expect(snapshot.edgesOf(node)).toEqual(edges);
      }
    }),
    { numRuns: 60 },
  );
});

test('a file that was cut short anywhere is refused', async () => {
  const text = snapshotText(GLOBALS, { locations: [[2, 5, 0, 0]] });
  for (let length = 0; length < text.trimEnd().length; length++) {
    writeFileSync(path, text.slice(0, length));
    const error = await openSnapshot(path).catch((it: unknown) => it);
    expect(error, `cut at ${length}: ${String(error)}`).toBeInstanceOf(BadSnapshotError);
  }
});

test('a file that lacks a comma, or has one too many, is refused', async () => {
  const text = snapshotText(GLOBALS, { locations: [[2, 5, 0, 0]] });
  const refused = async (changed: string): Promise<void> => {
    expect(() => JSON.parse(changed)).toThrow();
    writeFileSync(path, changed);
    const error = await openSnapshot(path).catch((it: unknown) => it);
    expect(error, changed).toBeInstanceOf(BadSnapshotError);
  };
  // The header is small, and parsed as a whole. The empty arrays are passed over.
  for (let at = text.indexOf('"nodes"'); at < text.length; at++) {
    const [before, behind] = [text.slice(0, at), text.slice(at + 1)];
    if (text[at] === ',')
      for (const between of [' ', ',,']) await refused(before + between + behind);
    if (/[^[]\]|\}/.test(text.slice(at - 1, at + 1)))
      await refused(`${before},${text[at]}${behind}`);
  }
  for (const array of ['nodes', 'edges', 'strings']) {
    await refused(text.replace(`"${array}":[`, `"${array}":[,`));
  }
});

test('a file with more after its end is refused', async () => {
  const text = snapshotText(GLOBALS);
  for (const more of [text, '}', 'x']) {
    writeFileSync(path, text + more);
    await expect(openSnapshot(path)).rejects.toThrow('which no snapshot has there');
  }
  writeFileSync(path, `${text}\n \n`);
  await expect(openSnapshot(path)).resolves.toBeDefined();
});

test('a file without a node, which has no root, is refused', async () => {
  writeFileSync(path, snapshotText([]));
  await expect(openSnapshot(path)).rejects.toThrow('its node_count is 0');
});

test('a file with any byte changed is read or refused, and never breaks', async () => {
  const text = snapshotText(GLOBALS);
  await fc.assert(
    fc.asyncProperty(
      fc.nat(text.length - 1),
      fc.constantFrom('0', '9', '-', ',', '[', ']', '{', '}', '"', 'x', '\\'),
      async (at, byte) => {
        writeFileSync(path, text.slice(0, at) + byte + text.slice(at + 1));
        const outcome = await openSnapshot(path)
          .then(described)
          .catch((error: unknown) => error);
        if (outcome instanceof Error) expect(outcome).toBeInstanceOf(BadSnapshotError);
      },
    ),
    { numRuns: 400 },
  );
});

test.each([
  ['{}', 'header'],
  ['[]', 'byte 0'],
  ['', 'ends at byte 0'],
  ['{"nodes":[]}', 'no header'],
  [snapshotText(GLOBALS, { nodeCount: 7 }), 'promises 7 nodes'],
  [snapshotText(GLOBALS, { nodeCount: 5 }), 'too many nodes'],
  [snapshotText(GLOBALS, { edgeCount: 5 }), 'promises 6 nodes with 5 edges'],
  [snapshotText(GLOBALS, { nodeCount: 1e9 }), 'too short'],
  [snapshotText(GLOBALS, { nodeFields: ['type', 'name', 'id', 'self_size'] }), 'lack `edge_count`'],
  [snapshotText(GLOBALS).replace('"strings"', '"texts"'), 'no strings'],
  [snapshotText([...GLOBALS, { edges: [{ to: 99 }] }]), 'leads to no node'],
  [snapshotText(GLOBALS).replace('"nodes":[', '"nodes":[-'), 'is "-", which no snapshot has'],
  [snapshotText(GLOBALS).replace('"edges":[', '"edges":[-'), 'is "-", which no snapshot has'],
  [snapshotText(GLOBALS, { locations: [[2, 5, 0, 0]] }).replace(',5,0,0', ',5,--1,0'), 'is "-"'],
  [snapshotText(GLOBALS, { locations: [[2, 5, 0, 0]] }).replace(',5,0,0', ',5,-,0'), 'is ","'],
  [snapshotText(GLOBALS, { locations: [[-1, 5, 0, 0]] }), 'is of no node'],
])('%.60s… is refused with its fault', async (text, fault) => {
  writeFileSync(path, text);
  await expect(openSnapshot(path)).rejects.toThrow(fault);
  await expect(openSnapshot(path)).rejects.toMatchObject({ code: 'TENURE_PROFILE_BAD_SNAPSHOT' });
});

test('a file that is missing or a folder is refused with the cause', async () => {
  await expect(openSnapshot(join(folder, 'none'))).rejects.toMatchObject({
    code: 'TENURE_PROFILE_BAD_SNAPSHOT',
    cause: { code: 'ENOENT' },
  });
  await expect(openSnapshot(folder)).rejects.toMatchObject({ cause: { code: 'EISDIR' } });
});

test('wrong arguments are refused by name', async () => {
  await expect(openSnapshot(path, { maxBytes: 0 })).rejects.toThrow('`maxBytes`');
  await expect(openSnapshot(path, { maxbytes: 1 } as never)).rejects.toThrow('unknown option');
  await expect(openSnapshot(7 as never)).rejects.toThrow('`file`');
  const snapshot = await openSnapshot(pathToFileURL(writeSnapshot(path, GLOBALS)));
  for (const node of [-1, 6, 0.5, Number.NaN, '1' as never]) {
    expect(() => snapshot.sizeOf(node)).toThrow('`node` must be an integer from 0 to 5');
    expect(() => snapshot.pathTo(node)).toThrow('V8Snapshot.pathTo');
  }
});

test('a snapshot that needs more than maxBytes is refused before memory is taken', async () => {
  const error = await openSnapshot(writeSnapshot(path, GLOBALS), { maxBytes: 100 }).catch(
    (it) => it,
  );
  expect(error).toBeInstanceOf(ProfileTooLargeError);
  expect(error).toMatchObject({
    code: 'TENURE_PROFILE_TOO_LARGE',
    limitBytes: 100,
    estimatedBytes: 6 * 60 + 6 * 13,
  });
});

test('names are read later, and a file that was changed meanwhile is noticed', async () => {
  const snapshot = await openSnapshot(writeSnapshot(path, GLOBALS));
  expect(snapshot.kindOf(4)).toBe('Client');
  appendFileSync(path, ' ');
  expect(() => snapshot.edgesOf(1)).toThrow('was changed or removed');
  truncateSync(path, 10);
  expect(() => snapshot.edgesOf(1)).toThrow('was changed or removed');
  rmSync(path);
  expect(() => snapshot.edgesOf(1)).toThrow(
    expect.objectContaining({ code: 'TENURE_PROFILE_SNAPSHOT_CHANGED' }),
  );
  expect(snapshot.kindOf(4), 'kinds were read when it was opened').toBe('Client');
});

test('locations name the script, from the option, from the file beside, or by number', async () => {
  writeSnapshot(path, GLOBALS, {
    locations: [
      [5, 8, 3, 1],
      [4, 7, 11, 0],
    ],
  });
  const numbered = await openSnapshot(path);
  expect(numbered.locationOf(4)).toEqual({ file: 'script 7', line: 12, column: 1 });
  expect(numbered.locationOf(3)).toBeUndefined();
  writeFileSync(`${path}.scripts.json`, '{"7":"file:///app/db.js"}');
  expect((await openSnapshot(path)).locationOf(4)?.file).toBe('file:///app/db.js');
  const named = await openSnapshot(path, { scripts: { 8: '/app/orders.js' } });
  expect(named.locationOf(5)).toEqual({ file: '/app/orders.js', line: 4, column: 2 });
  writeFileSync(`${path}.scripts.json`, 'not JSON');
  expect((await openSnapshot(path)).locationOf(4)?.file).toBe('script 7');
  rmSync(`${path}.scripts.json`);
});

test('a place before the first line or column of a wrapped script counts as the first one', async () => {
  writeSnapshot(path, GLOBALS, {
    locations: [
      [4, 7, -1, -26],
      [5, 7, 0, -62],
    ],
  });
  const snapshot = await openSnapshot(path);
  expect(snapshot.locationOf(4)).toEqual({ file: 'script 7', line: 1, column: 1 });
  expect(snapshot.locationOf(5)).toEqual({ file: 'script 7', line: 1, column: 1 });
});

test('the event loop turns while a file is read', async () => {
  const nodes: WrittenNode[] = Array.from({ length: 20_000 }, (_, i) => ({
    edges: i === 0 ? Array.from({ length: 19_999 }, (_, j) => ({ to: j + 1 })) : [],
  }));
  writeSnapshot(path, nodes);
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  await openSnapshot(path);
  clearInterval(timer);
  expect(turns).toBeGreaterThan(0);
});

function described(snapshot: V8Snapshot): unknown {
  return Array.from({ length: snapshot.nodeCount }, (_, node) => [
    snapshot.kindOf(node),
    snapshot.nameOf(node),
    snapshot.idOf(node),
    snapshot.sizeOf(node),
    snapshot.edgesOf(node),
    snapshot.pathTo(node),
    census(snapshot).retained(node),
  ]);
}
