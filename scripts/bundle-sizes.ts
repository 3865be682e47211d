/** How large each subpath is when it is bundled alone, and the table of it in the README. */
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** The subpaths of the package; `.` is the whole of it. */
export const SUBPATHS = [
  'scope',
  'weak',
  'gc',
  'pool',
  'memoize',
  'watchdog',
  'integrations/generic-pool',
  'integrations/mysql2',
  'integrations/pg',
  'integrations/tarn',
  '.',
] as const;

export type Subpath = (typeof SUBPATHS)[number];

export interface BundleSize {
  readonly subpath: Subpath;
  /** Files it is made of, relative to the project. */
  readonly inputs: readonly string[];
  /** What it would still import at run time. */
  readonly imports: readonly string[];
  readonly minifiedBytes: number;
  readonly gzippedBytes: number;
}

export async function bundleAlone(subpath: Subpath): Promise<BundleSize> {
  const entry = entryOf(subpath);
  const { metafile, outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['browser', 'import'], // lru-cache publishes metrics through a module of Node elsewhere.
    target: 'es2022',
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  const [output] = Object.values(metafile.outputs);
  const contents = outputFiles[0]?.contents ?? new Uint8Array();
  return {
    subpath,
    inputs: Object.keys(output?.inputs ?? {}).sort(),
    imports: (output?.imports ?? []).map(({ path }) => path),
    minifiedBytes: contents.byteLength,
    gzippedBytes: gzipSync(contents, { level: 9 }).byteLength,
  };
}

function entryOf(subpath: Subpath): string {
  if (subpath === '.') return 'src/index.ts';
  return subpath.startsWith('integrations/') ? `src/${subpath}.ts` : `src/${subpath}/index.ts`;
}

const START = '<!-- sizes:start -->';
const END = '<!-- sizes:end -->';

export function sizeTable(sizes: readonly BundleSize[]): string {
  const rows = sizes.map(
    ({ subpath, minifiedBytes, gzippedBytes }) =>
      `| \`${nameOf(subpath)}\` | ${kilobytes(minifiedBytes)} | ${kilobytes(gzippedBytes)} |`,
  );
  return ['| import | minified | gzipped |', '|---|---:|---:|', ...rows].join('\n');
}

/** The README with its table replaced. */
export function withSizeTable(readme: string, table: string): string {
  const start = readme.indexOf(START);
  const end = readme.indexOf(END);
  if (start < 0 || end < start) throw new Error(`the README lacks ${START} or ${END}`);
  return `${readme.slice(0, start + START.length)}\n\n${table}\n\n${readme.slice(end)}`;
}

function nameOf(subpath: Subpath): string {
  return subpath === '.' ? 'tenure' : `tenure/${subpath}`;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}
