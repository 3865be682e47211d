/**
 * The heap snapshot worker of Chromium's DevTools, run in Node. Its sources are in the npm package `chrome-devtools-frontend`,
 * which is 80 MB unpacked, and so no development dependency: they are fetched once into the folder for temporary files, and
 * esbuild makes one module of the worker.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';

const VERSION = '1.0.1705227';

const HOME = join(tmpdir(), `tenure-devtools-${VERSION}`);

/** What DevTools says about a snapshot. */
export interface DevToolsSnapshot {
  readonly nodeCount: number;
  readonly totalSize: number;
  retainedSize(node: number): number;
  /** Immediate dominator of a node. */
  dominator(node: number): number;
  /** Number of steps on the shortest path; -1 if there is none. */
  distance(node: number): number;
  className(node: number): string;
  rawName(node: number): string;
  id(node: number): number;
  /** Line and column of a node's definition, from 0, and the number of its script. */
  location(node: number): { scriptId: number; lineNumber: number; columnNumber: number } | null;
}

/** The members of DevTools' own class that are read. */
interface Internals {
  readonly nodeCount: number;
  readonly nodeFieldCount: number;
  readonly totalSize: number;
  readonly retainedSizes: Float64Array;
  readonly dominatorsTree: Uint32Array;
  readonly nodeDistances: Int32Array;
  createNode(index: number): { className(): string; rawName(): string; id(): number };
  getLocation(index: number): { scriptId: number; lineNumber: number; columnNumber: number } | null;
}

interface Worker {
  HeapSnapshotLoader: new (dispatcher: {
    sendEvent(): void;
  }) => {
    write(text: string): void;
    close(): void;
    buildSnapshot(port: MessagePort): Promise<Internals>;
  };
  SecondaryInitManager: new (port: MessagePort) => unknown;
}

/** Added to the distances of nodes that no global object reaches. */
const BASE_SYSTEM_DISTANCE = 100_000_000;

/** Reads a snapshot with DevTools. */
export async function openInDevTools(file: string): Promise<DevToolsSnapshot> {
  const { HeapSnapshotLoader, SecondaryInitManager } = (await import(
    pathToFileURL(await bundledWorker()).href
  )) as Worker;
  const loader = new HeapSnapshotLoader({ sendEvent: () => {} });
  const { port1, port2 } = new MessageChannel();
  new SecondaryInitManager(port2);
  loader.write(await readFile(file, 'utf8'));
  loader.close();
  const snapshot = await loader.buildSnapshot(port1);
  port1.close();
  const at = (node: number): number => node * snapshot.nodeFieldCount;
  return {
    nodeCount: snapshot.nodeCount,
    totalSize: snapshot.totalSize,
    retainedSize: (node) => snapshot.retainedSizes[node] as number,
    dominator: (node) => snapshot.dominatorsTree[node] as number,
    distance: (node) => {
      const distance = snapshot.nodeDistances[node] as number;
      return Math.max(
        -1,
        distance >= BASE_SYSTEM_DISTANCE ? distance - BASE_SYSTEM_DISTANCE : distance,
      );
    },
    className: (node) => snapshot.createNode(at(node)).className(),
    rawName: (node) => snapshot.createNode(at(node)).rawName(),
    id: (node) => snapshot.createNode(at(node)).id(),
    location: (node) => snapshot.getLocation(at(node)),
  };
}

async function bundledWorker(): Promise<string> {
  const bundle = join(HOME, 'worker.mjs');
  if (existsSync(bundle)) return bundle;
  const staging = `${HOME}.${process.pid}`;
  mkdirSync(staging, { recursive: true });
  const run = (command: string, ...args: string[]): string =>
    execFileSync(command, args, { cwd: staging, encoding: 'utf8' });
  const archive = run('npm', 'pack', '--silent', `chrome-devtools-frontend@${VERSION}`).trim();
  run('tar', 'xzf', archive);
  await build({
    absWorkingDir: join(staging, 'package/front_end/entrypoints/heap_snapshot_worker'),
    stdin: {
      contents: `export { HeapSnapshotLoader } from './HeapSnapshotLoader.ts';
        export { SecondaryInitManager } from './HeapSnapshot.ts';`,
      resolveDir: join(staging, 'package/front_end/entrypoints/heap_snapshot_worker'),
    },
    // The sources import `x.js` where the package has `x.ts`, which esbuild resolves by itself.
    bundle: true,
    format: 'esm',
    platform: 'node',
    outfile: join(staging, 'worker.mjs'),
    banner: { js: WITH_RESOLVERS },
    plugins: [WITHOUT_LOCALES],
    logLevel: 'error',
  });
  rmSync(join(staging, 'package'), { recursive: true });
  rmSync(HOME, { recursive: true, force: true });
  renameSync(staging, HOME);
  return bundle;
}

/** Node 20 lacks it, and DevTools needs it. */
const WITH_RESOLVERS = `Promise.withResolvers ??= () => {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
};`;

/** The file is generated by DevTools' own build, and no figure needs it. */
const WITHOUT_LOCALES: Plugin = {
  name: 'without-locales',
  setup(setting) {
    setting.onResolve({ filter: /\/locales\.js$/ }, ({ path }) => ({ path, namespace: 'empty' }));
    setting.onLoad({ filter: /.*/, namespace: 'empty' }, () => ({
      contents: 'module.exports = { BUNDLED_LOCALES: [], ALL_LOCALES: [] }',
    }));
  },
};
