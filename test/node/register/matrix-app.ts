/**
 * The applications of the matrix: one that leaks a resource of each package on one route, and gives it back on another. Each
 * variant is the same code, loaded in another way. None of them knows of tenure.
 */
import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { PROJECT } from '../../kit/packed-package.js';

/** How an application loads the packages. */
export interface Variant {
  readonly name: string;
  /** Flags before and after the flag of tenure. */
  readonly before?: readonly string[];
  readonly after?: readonly string[];
  /** The file to run. */
  readonly file: string;
  /** Whether no strategy can see the packages. */
  readonly isHidden?: true;
}

/** A loader that gives the source of CommonJS itself. */
const LOADER = './loader-hooks.mjs';
const LOADER_FILE = './loader.mjs';

export const VARIANTS: readonly Variant[] = [
  { name: 'cjs', file: 'app.cjs' },
  { name: 'esm', file: 'app.mjs' },
  { name: 'a file inside of a package', file: 'deep.cjs' },
  { name: 'nested copies', file: 'nested.cjs' },
  { name: 'tsx, first', before: ['--import', 'tsx'], file: 'app.ts' },
  { name: 'tsx, second', after: ['--import', 'tsx'], file: 'app.ts' },
  { name: 'a loader that gives sources, first', before: ['--loader', LOADER], file: 'app.mjs' },
  {
    name: 'a loader that gives sources, second',
    after: ['--import', LOADER_FILE],
    file: 'app.mjs',
  },
  { name: 'a worker', file: 'worker.mjs' },
  { name: 'a bundle', file: 'bundle.cjs', isHidden: true },
];

/** The packages as the reports name them. */
export const POOLS = ['generic-pool', 'pg postgres', 'mysql2', 'tarn'] as const;

/** Each package's line that loses a resource has this comment. */
export const LEAKING_LINE = (pool: string): string => `// the leak of ${pool}`;

const BODY = `
const factory = { create: async () => ({}), destroy: async () => {} };
const generic = createGenericPool(factory, { max: 5 });
const postgres = new PgPool({ connectionString: process.env.PG_URL, max: 5 });
const mysql = process.env.MYSQL_URL && createMysqlPool({ uri: process.env.MYSQL_URL, connectionLimit: 5 });
const tarns = new TarnPool({ ...factory, min: 0, max: 5 });

const takers = {
  'generic-pool': {
    leak: () => generic.acquire(), // the leak of generic-pool
    ok: async () => generic.release(await generic.acquire()),
  },
  'pg postgres': {
    leak: () => postgres.connect(), // the leak of pg postgres
    ok: async () => {
      await postgres.query('select 1');
      await new Promise((done) => postgres.connect((error, client, release) => done(release())));
      (await postgres.connect()).release();
    },
  },
  mysql2: {
    leak: () => new Promise((resolve, reject) => mysql.getConnection((error, one) => (error ? reject(error) : resolve(one)))), // the leak of mysql2
    ok: async () => {
      await new Promise((resolve, reject) => mysql.query('select 1', (error) => (error ? reject(error) : resolve())));
      await new Promise((resolve, reject) =>
        mysql.getConnection((error, one) => (error ? reject(error) : resolve(one.release()))));
    },
  },
  tarn: {
    leak: () => tarns.acquire().promise, // the leak of tarn
    ok: async () => tarns.release(await tarns.acquire().promise),
  },
};

const server = createServer((request, response) => {
  const [, action, name] = request.url.split('/');
  takers[decodeURIComponent(name)][action]().then(() => response.end('done'), (error) => response.end(String(error)));
});
server.listen(0, '127.0.0.1', async () => {
  const at = \`http://127.0.0.1:\${server.address().port}\`;
  for (const name of Object.keys(takers)) {
    if (name === 'mysql2' && !mysql) continue;
    for (const action of ['ok', 'leak', 'ok']) {
      const response = await fetch(\`\${at}/\${action}/\${encodeURIComponent(name)}\`);
      const text = await response.text();
      if (text !== 'done') console.error(name, action, text);
    }
  }
  process.exit(0);
});
`;

const REQUIRES = `
const { createServer } = require('node:http');
const { createPool: createGenericPool } = require('generic-pool');
const { Pool: PgPool } = require('pg');
const { createPool: createMysqlPool } = require('mysql2');
const { Pool: TarnPool } = require('tarn');
`;

const IMPORTS = `
import { createServer } from 'node:http';
import generic_ from 'generic-pool';
import pg from 'pg';
import { createPool as createMysqlPool } from 'mysql2';
import { Pool as TarnPool } from 'tarn';
const { createPool: createGenericPool } = generic_;
const { Pool: PgPool } = pg;
`;

const DEEP = `
const { createServer } = require('node:http');
const modules = require('node:path').join(__dirname, 'node_modules');
const GenericPool = require(modules + '/generic-pool/lib/Pool');
const inner = (file) => require(modules + '/generic-pool/lib/' + file);
const createGenericPool = (factory, options) =>
  new GenericPool(inner('DefaultEvictor'), inner('Deque'), inner('PriorityQueue'), factory, options);
const { Client } = require('pg');
const BarePool = require('pg-pool');
class PgPool extends BarePool {
  constructor(options) { super(options, Client); }
}
const { createPool: createMysqlPool } = require(modules + '/mysql2/index.js');
const { Pool: TarnPool } = require('tarn/dist/Pool');
`;

const NESTED = REQUIRES.replaceAll(/require\('((?!node:)[^']+)'\)/g, "inner('$1')").replace(
  '\n',
  "\nconst inner = require('library');\n",
);

const WORKER = `
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
const worker = new Worker(new URL('app.cjs', import.meta.url));
await once(worker, 'exit');
`;

const LOADER_SOURCE = `
import { register } from 'node:module';
register('${LOADER}', import.meta.url);
`;

/** It gives the sources as bytes. */
const LOADER_HOOKS = `
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
export async function load(url, context, nextLoad) {
  const result = await nextLoad(url, context);
  if (result.format !== 'commonjs' || !url.startsWith('file:')) return result;
  return { ...result, source: await readFile(fileURLToPath(url)), shortCircuit: true };
}
`;

/** Writes the applications into a folder that has tenure, and gives them the packages of this project. */
export function writeMatrixApps(folder: string): void {
  const modules = join(folder, 'node_modules');
  const own = new Set(readdirSync(modules));
  for (const name of readdirSync(join(PROJECT, 'node_modules'))) {
    if (!own.has(name) && !name.startsWith('.')) {
      symlinkSync(join(PROJECT, 'node_modules', name), join(modules, name));
    }
  }
  const nested = join(modules, 'library/node_modules');
  mkdirSync(nested, { recursive: true });
  for (const name of ['generic-pool', 'pg', 'pg-pool', 'mysql2', 'tarn']) {
    cpSync(join(PROJECT, 'node_modules', name), join(nested, name), { recursive: true });
  }
  writeFileSync(join(modules, 'library/index.js'), 'module.exports = (name) => require(name);');
  const files: Readonly<Record<string, string>> = {
    'app.cjs': REQUIRES + BODY,
    'app.mjs': IMPORTS + BODY,
    'app.ts': IMPORTS + BODY,
    'deep.cjs': DEEP + BODY,
    'nested.cjs': NESTED + BODY,
    'worker.mjs': WORKER,
    [LOADER_FILE]: LOADER_SOURCE,
    [LOADER]: LOADER_HOOKS,
  };
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  buildSync({
    entryPoints: [join(folder, 'app.cjs')],
    outfile: join(folder, 'bundle.cjs'),
    bundle: true,
    platform: 'node',
    external: ['pg-native'],
    logLevel: 'silent',
  });
}
