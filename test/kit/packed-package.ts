/** Builds and packs the package once in a run, and installs it into empty folders without a network, as a user would get it. */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';
import { bundleRegister } from '../../scripts/bundle-register.js';

export const PROJECT: string = fileURLToPath(new URL('../..', import.meta.url));

/** Ends a step that hangs. Packing takes 20 s on an idle machine, and ten times as long on a busy one. */
export const PACKAGE_PATIENCE_MILLIS = 600_000;

export interface InstalledPackage extends Disposable {
  /** The empty folder that it was installed into. */
  readonly folder: string;
  /** The files in the tarball. */
  readonly files: readonly string[];
}

/** What was packed: the tarballs, and the files in that of the package. */
interface Packed {
  readonly tarballs: readonly string[];
  readonly files: readonly string[];
}

export async function installPackedPackage(): Promise<InstalledPackage> {
  const { tarballs, files } = await packedOnce(inject('runFolder'));
  const folder = mkdtempSync(join(tmpdir(), 'tenure-package-'));
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  npm(folder, 'install', '--offline', '--no-audit', '--no-fund', ...tarballs);
  return {
    folder,
    files,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Packs the package, unless another test file of this run has done so or is about to: then waits for its result. */
async function packedOnce(home: string): Promise<Packed> {
  const result = join(home, 'packed.json');
  if (isFirst(home)) {
    const packed = await pack(home).catch((error: unknown) => ({ error: String(error) }));
    writeFileSync(`${result}.part`, JSON.stringify(packed));
    renameSync(`${result}.part`, result);
  }
  while (!existsSync(result)) await setTimeout(100);
  const packed = JSON.parse(readFileSync(result, 'utf8')) as Packed | { readonly error: string };
  if ('error' in packed) throw new Error(packed.error);
  return packed;
}

function isFirst(home: string): boolean {
  try {
    mkdirSync(join(home, 'staged'));
    return true;
  } catch {
    return false;
  }
}

async function pack(home: string): Promise<Packed> {
  const staged = join(home, 'staged');
  for (const name of ['src', 'README.md', 'LICENSE', 'CHANGELOG.md']) {
    cpSync(join(PROJECT, name), join(staged, name), { recursive: true });
  }
  const { scripts: _scripts, ...manifest } = JSON.parse(
    readFileSync(join(PROJECT, 'package.json'), 'utf8'),
  ) as Record<string, unknown>;
  writeFileSync(join(staged, 'package.json'), JSON.stringify(manifest));
  tsc(PROJECT, '-p', 'tsconfig.build.json', '--outDir', join(staged, 'dist'));
  await bundleRegister(join(staged, 'dist'));
  const own = tarball(staged, home);
  const dependency = tarball(join(PROJECT, 'node_modules/lru-cache'), home);
  return { tarballs: [own.path, dependency.path], files: own.files };
}

/** Packs a folder to a tarball in another one. */
function tarball(folder: string, to: string): { path: string; files: string[] } {
  const [packed] = JSON.parse(
    npm(folder, 'pack', '--json', '--ignore-scripts', '--pack-destination', to),
  ) as [{ filename: string; files: { path: string }[] }];
  return { path: join(to, packed.filename), files: packed.files.map(({ path }) => path) };
}

/** Runs the project's TypeScript compiler. Throws with its output if it fails. */
export function tsc(folder: string, ...args: string[]): void {
  run(folder, process.execPath, [join(PROJECT, 'node_modules/typescript/bin/tsc'), ...args]);
}

export function run(folder: string, command: string, args: readonly string[]): string {
  try {
    return execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}\n${stderr}`, { cause: error });
  }
}

function npm(folder: string, ...args: string[]): string {
  return run(folder, 'npm', args);
}
