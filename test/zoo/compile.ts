/**
 * Compiles the zoo, and what it imports, to JavaScript. A process that compiles as it imports keeps source maps, some 10 MB of small
 * objects. The programs of one level force 1,000 collections, and each would take three times as long.
 */
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { compiledLeakLines, LEAK_LINES } from './leak-lines.js';

const PROJECT = join(import.meta.dirname, '../..');

/** A folder with the compiled zoo, laid out as the project. It is removed at the end. */
export interface CompiledZoo extends AsyncDisposable {
  readonly folder: string;
}

export async function compileZoo(): Promise<CompiledZoo> {
  const folder = await mkdtemp(join(tmpdir(), 'tenure-zoo-'));
  await build({
    absWorkingDir: PROJECT,
    entryPoints: ['src/**/*.ts', 'test/zoo/**/*.ts', 'test/kit/*.ts', 'examples/service/*.ts'],
    outbase: '.',
    outdir: folder,
    format: 'esm',
    target: 'node20',
    sourcemap: 'external',
    sourcesContent: false,
    logLevel: 'error',
  });
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  await symlink(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
  const lines = await compiledLeakLines(join(folder, 'test/zoo/programs'));
  await writeFile(join(folder, LEAK_LINES), JSON.stringify([...lines]));
  return {
    folder,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
