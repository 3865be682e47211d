/** Builds and packs the package, and installs it into an empty folder without a network, as a user would get it. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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

export async function installPackedPackage(): Promise<InstalledPackage> {
  const home = mkdtempSync(join(tmpdir(), 'tenure-package-'));
  const staged = join(home, 'staged');
  const folder = join(home, 'consumer');
  mkdirSync(staged);
  mkdirSync(folder);
  for (const name of ['src', 'README.md', 'LICENSE', 'CHANGELOG.md']) {
    cpSync(join(PROJECT, name), join(staged, name), { recursive: true });
  }
  const { scripts: _scripts, ...manifest } = JSON.parse(
    readFileSync(join(PROJECT, 'package.json'), 'utf8'),
  ) as Record<string, unknown>;
  writeFileSync(join(staged, 'package.json'), JSON.stringify(manifest));
  tsc(PROJECT, '-p', 'tsconfig.build.json', '--outDir', join(staged, 'dist'));
  await bundleRegister(join(staged, 'dist'));
  const [packed] = JSON.parse(npm(staged, 'pack', '--json', '--pack-destination', home)) as [
    { filename: string; files: { path: string }[] },
  ];
  const [dependency] = JSON.parse(
    npm(
      join(PROJECT, 'node_modules/lru-cache'),
      'pack',
      '--json',
      '--ignore-scripts',
      '--pack-destination',
      home,
    ),
  ) as [{ filename: string }];
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  npm(
    folder,
    'install',
    '--offline',
    '--no-audit',
    '--no-fund',
    join(home, packed.filename),
    join(home, dependency.filename),
  );
  return {
    folder,
    files: packed.files.map(({ path }) => path),
    [Symbol.dispose]: () => rmSync(home, { recursive: true, force: true }),
  };
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
