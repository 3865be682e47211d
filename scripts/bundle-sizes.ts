/**
 * The size of each subpath when it is bundled alone, and the table of sizes in the README.
 *
 * Every subpath bundles for a neutral platform. `integrations/*` takes the client or pool as an argument, or loads the package of its
 * peer when a function needs it. So its size is the adapter's own.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const { exports: EXPORTS } = JSON.parse(readFileSync(`${ROOT}/package.json`, 'utf8')) as {
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>;
};

/** Source file of each subpath that package.json exports, without `./`; `.` is the whole package and comes last. */
export const ENTRIES: ReadonlyMap<string, string> = new Map(
  Object.entries(EXPORTS)
    .flatMap(([subpath, target]): [string, string][] =>
      typeof target === 'string' ? [] : [[subpath, target.default]],
    )
    .sort(([a], [b]) => Number(a === '.') - Number(b === '.'))
    .map(([subpath, target]) => [
      subpath.replace('./', ''),
      target.replace('./dist/', 'src/').replace(/\.js$/, '.ts'),
    ]),
);

/** The subpaths of the package, `.` last. */
export const SUBPATHS: readonly string[] = [...ENTRIES.keys()];

export interface BundleSize {
  readonly subpath: string;
  /** Files in the bundle, relative to the project. */
  readonly inputs: readonly string[];
  /** Modules that the bundle still imports at run time. */
  readonly imports: readonly string[];
  readonly minifiedBytes: number;
  /** The part of {@link minifiedBytes} that packages take. */
  readonly packageBytes: number;
  readonly gzippedBytes: number;
}

/** Bundles a subpath with everything that it exports, or with one of its functions. */
export async function bundleAlone(subpath: string, name = '*'): Promise<BundleSize> {
  const entry = ENTRIES.get(subpath);
  if (entry === undefined) throw new Error(`package.json exports no subpath '${subpath}'`);
  const exported = name === '*' ? '*' : `{ ${name} }`;
  const { metafile, outputFiles } = await build({
    absWorkingDir: ROOT,
    stdin: { contents: `export ${exported} from './${entry}'`, resolveDir: ROOT },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'neutral',
    external: ['mysql2', 'pg', 'node:*'],
    mainFields: ['module', 'main'],
    conditions: ['browser', 'import'], // lru-cache publishes metrics through a module of Node elsewhere.
    target: 'es2022',
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  const [output] = Object.values(metafile.outputs);
  const contents = outputFiles[0]?.contents ?? new Uint8Array();
  const inputs = Object.entries(output?.inputs ?? {}).filter(([file]) => file !== '<stdin>');
  const ofPackages = inputs.filter(([file]) => file.startsWith('node_modules/'));
  return {
    subpath,
    inputs: inputs.map(([file]) => file).sort(),
    imports: (output?.imports ?? []).map(({ path }) => path),
    minifiedBytes: contents.byteLength,
    packageBytes: ofPackages.reduce((sum, [, { bytesInOutput }]) => sum + bytesInOutput, 0),
    gzippedBytes: gzipSync(contents, { level: 9 }).byteLength,
  };
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

function nameOf(subpath: string): string {
  return subpath === '.' ? 'tenure' : `tenure/${subpath}`;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}
