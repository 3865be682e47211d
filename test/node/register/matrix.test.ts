/**
 * `node --import tenure/register` on every supported version of Node, with every way to load a package: the line that loses a
 * resource is named for each of the four packages, from an application that does not know of tenure.
 */
import { execFile } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type LocalPostgres,
  startLocalPostgres,
} from '../../../examples/service/local-postgres.js';
import type { LeakReport } from '../../../src/watchdog/index.js';
import { canStart as hasMariadb, MariadbServer } from '../../integrations/mysql2/mariadb-server.js';
import { canStart as hasPostgres } from '../../integrations/postgres/postgres-server.js';
import { type InstalledNode, nodes } from '../../kit/node-versions.js';
import {
  type InstalledPackage,
  installPackedPackage,
  PACKAGE_PATIENCE_MILLIS,
} from '../../kit/packed-package.js';
import { LEAKING_LINE, POOLS, VARIANTS, type Variant, writeMatrixApps } from './matrix-app.js';

let installed: InstalledPackage;
let postgres: LocalPostgres;
let mariadb: MariadbServer | undefined;

beforeAll(async () => {
  if (!hasPostgres) return;
  installed = await installPackedPackage();
  writeMatrixApps(installed.folder);
  postgres = await startLocalPostgres({ max_connections: 200 });
  if (hasMariadb) mariadb = await MariadbServer.start();
}, PACKAGE_PATIENCE_MILLIS);

afterAll(async () => {
  await mariadb?.[Symbol.asyncDispose]();
  await postgres?.[Symbol.asyncDispose]();
  installed?.[Symbol.dispose]();
}, 60_000);

interface Outcome {
  readonly stderr: string;
  readonly leaks: readonly LeakReport[];
  readonly missed: readonly string[];
}

/** Runs an application to its end. */
function run(
  { executable }: InstalledNode,
  { before = [], after = [], file }: Variant,
): Promise<Outcome> {
  const { folder } = installed;
  const json = join(folder, `${file}.json`);
  for (const path of [json, jsonOfWorker(json)]) rmSync(path, { force: true });
  const args = [...before, '--import', 'tenure/register', ...after, file];
  const env = {
    ...process.env,
    TENURE: `json=${file}.json,level=advanced,graceMillis=0`,
    PG_URL: postgres.url,
    MYSQL_URL: mariadb === undefined ? '' : `mysql://root@127.0.0.1:${mariadb.port}`,
  };
  return new Promise((resolve) => {
    execFile(executable, args, { cwd: folder, env, timeout: 30_000 }, (_error, _out, stderr) => {
      const found = read(json) ?? read(jsonOfWorker(json)) ?? { leaks: [], missed: [] };
      resolve({ stderr, ...found });
    });
  });
}

function jsonOfWorker(json: string): string {
  return json.replace('.json', '.worker-1.json');
}

function read(path: string): Omit<Outcome, 'stderr'> | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Omit<Outcome, 'stderr'>;
  } catch {
    return undefined;
  }
}

const pools = POOLS.filter((pool) => hasMariadb || pool !== 'mysql2');

describe.skipIf(!hasPostgres).each(nodes)('Node $major', (node) => {
  const seen = VARIANTS.filter(({ isHidden }) => isHidden !== true);

  test.each(seen)(
    '$name: the line of each package is named',
    async (variant) => {
      const { stderr, leaks, missed } = await run(node, variant);
      const text = readFileSync(join(installed.folder, sourceOf(variant)), 'utf8');
      const found = leaks.map(({ component, rule, scope, site, count }) => {
        return `${component.name}: ${rule} ×${count} in ${scope}, line ${site?.line}`;
      });
      expect(found.sort(), stderr).toEqual(
        pools
          .map((pool) => `${pool}: orphaned ×1 in GET /leak/…, line ${lineWith(text, pool)}`)
          .sort(),
      );
      expect(missed).toEqual([]);
    },
    40_000,
  );

  test('a bundle: it says that no package was found', async () => {
    const hidden = VARIANTS.find(({ isHidden }) => isHidden === true) as Variant;
    const { stderr, leaks } = await run(node, hidden);
    expect(stderr).toContain('Is the application bundled?');
    expect(leaks).toEqual([]);
  }, 40_000);
});

/** The file whose lines the stacks show. */
function sourceOf({ file }: Variant): string {
  return file === 'worker.mjs' ? 'app.cjs' : file;
}

function lineWith(text: string, pool: string): number {
  return 1 + text.split('\n').findIndex((line) => line.endsWith(LEAKING_LINE(pool)));
}
