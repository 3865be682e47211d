import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { importsOf, readTree } from './kit/import-graph.js';
import { LAYERS, PARTS, violationsOf } from './kit/layers.js';

const tree = readTree(fileURLToPath(new URL('../src', import.meta.url)));

test('imports go from higher to lower layers only, and there are no circles', () => {
  expect(violationsOf(tree)).toEqual([]);
});

test('the whole source tree is checked', () => {
  expect(tree.size).toBeGreaterThan(50);
  expect(importsOf(tree).length).toBeGreaterThan(tree.size);
  const modules = ['scope', 'weak', 'gc', 'pool', 'memoize', 'watchdog'];
  for (const module of modules) {
    expect(tree.has(`${module}/index.ts`), module).toBe(true);
    expect(LAYERS[module]).toBeDefined();
  }
});

test('a reference to a library stands above the imports, or the declarations of the package lack it', () => {
  const late = [...tree].filter(([, text]) => /^import .*^\/\/\/ <reference/ms.test(text));
  expect(late.map(([file]) => file)).toEqual([]);
});

test('only the command line uses `import.meta`, so that Jest can compile the modules to CommonJS', () => {
  const using = [...tree].filter(([, text]) => text.includes('import.meta.'));
  expect(using.map(([file]) => file)).toEqual(['node/cli/doctor-command.ts']);
});

test('every folder of tests has the name of the folder it tests', () => {
  for (const folder of ['core', 'scope', 'weak', 'gc', 'pool', 'memoize', 'watchdog']) {
    expect(existsSync(fileURLToPath(new URL(folder, import.meta.url))), folder).toBe(true);
  }
});

test.each([
  ['up', { 'core/a.ts': "import '../pool/b.js';", 'pool/b.ts': '' }, 'core may not import pool'],
  ['sideways', { 'pool/a.ts': "export * from '../memoize/b.js';" }, 'pool may not import memoize'],
  [
    'a type',
    { 'watchdog/a.ts': "import type { P } from '../pool/p.js';" },
    'watchdog may not import pool',
  ],
  ['an import type', { 'weak/a.ts': "let x: import('../gc/h.js').H;" }, 'weak may not import gc'],
  [
    'a dynamic import',
    { 'scope/a.ts': "await import('../weak/r.js');" },
    'scope may not import weak',
  ],
  ['Node', { 'gc/a.ts': "import fs from 'node:fs';" }, 'imports node:fs'],
  ['Node without its prefix', { 'gc/a.ts': "import fs from 'fs';" }, 'imports fs'],
  [
    'a package',
    { 'pool/a.ts': "import { LRUCache } from 'lru-cache';" },
    'imports the package lru-cache',
  ],
  ['a global of Node', { 'pool/a.ts': 'export const x = process.pid;' }, 'uses process'],
  [
    'an index',
    { 'pool/a.ts': "import '../core/index.js';", 'core/index.ts': '' },
    'imports the index',
  ],
  ['code in an index', { 'pool/index.ts': 'export const x = 1;' }, 'more than re-exports'],
  ['a new folder', { 'utils/a.ts': '' }, 'the folder utils has no layer'],
  ['a new sub-folder', { 'pool/utils/a.ts': '' }, 'the folder pool/utils is no part'],
  [
    'an import between parts that is not listed',
    { 'pool/loan/a.ts': "import '../queue/b.js';", 'pool/queue/b.ts': '' },
    'pool/loan may not import pool/queue',
  ],
  [
    'an import of a file in front that is not listed',
    { 'memoize/keys/a.ts': "import '../entries.js';", 'memoize/entries.ts': '' },
    'memoize/keys may not import memoize/entries',
  ],
  [
    'an adoption that reaches behind the loan',
    {
      'integrations/adoption/a.ts': "import '../../pool/pool-engine.js';",
      'pool/pool-engine.ts': '',
    },
    'integrations may not import pool/pool-engine',
  ],
  [
    'a circle of parts',
    {
      'pool/stock/a.ts': "import '../pool-options.js';",
      'pool/pool-options.ts': "import './stock/b.js';",
      'pool/stock/b.ts': '',
    },
    'circle of parts: pool/stock.ts → pool/pool-options.ts',
  ],
  [
    'a circle of types',
    {
      'core/a.ts': "import type { B } from './b.js';",
      'core/b.ts': "import type { A } from './a.js';",
    },
    'circle: core/a.ts → core/b.ts',
  ],
])('the checker finds %s', (_what, files, complaint) => {
  const violations = violationsOf(new Map(Object.entries<string>(files)));
  expect(violations.join('\n')).toContain(complaint);
});

test('every part in the table exists', () => {
  const folders = new Set([...tree.keys()].map((file) => file.split('/').slice(0, -1).join('/')));
  for (const [module, parts] of Object.entries(PARTS)) {
    for (const [part, mayImport] of Object.entries(parts)) {
      expect(folders.has(`${module}/${part}`), `${module}/${part}`).toBe(true);
      for (const target of mayImport) {
        const exists = target in parts || tree.has(`${module}/${target}.ts`);
        expect(exists, `${module}/${part} may import ${target}`).toBe(true);
      }
    }
  }
});

test('the checker allows what the layers allow', () => {
  const files = {
    'memoize/a.ts': "import { LRUCache } from 'lru-cache'; import '../weak/r.js'; import './b.js';",
    'memoize/b.ts': 'export type T = { process: string };',
    'node/a.ts': "import 'node:fs'; import '../watchdog/w.js'; process.exit();",
    'weak/r.ts': "import '../core/c.js';",
    'core/c.ts': '',
    'watchdog/w.ts': '',
  };
  expect(violationsOf(new Map(Object.entries(files)))).toEqual([]);
});
