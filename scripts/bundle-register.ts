/**
 * Puts `tenure/register` into one file, after the compiler has run. Its modules take 45 ms to load one by one, and every start
 * of a service pays that; one file takes 10 ms.
 *
 * Run by `npm run build`.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** Bundles the entry of `tenure/register` in this folder of compiled modules, in place. */
export async function bundleRegister(dist: string): Promise<void> {
  const entry = join(dist, 'node/register/index.js');
  await build({
    entryPoints: [entry],
    outfile: entry,
    allowOverwrite: true,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'es2022',
    keepNames: true,
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'error',
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await bundleRegister(fileURLToPath(new URL('../dist', import.meta.url)));
}
