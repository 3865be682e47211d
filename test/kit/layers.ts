/** The layers of the code base, as data: which folder may import which, across modules and inside one. */
import {
  circlesOf,
  globalsUsed,
  type Import,
  importsOf,
  otherThanReExports,
  type SourceTree,
} from './import-graph.js';

/** A module: one folder of `src`. */
interface Module {
  readonly layer: number;
  /** Modules it may import, besides itself. */
  readonly mayImport: readonly string[] | 'any layer below';
  /** Set if it may use modules and globals that only Node has. */
  readonly host?: true;
  /** Packages it may import. */
  readonly packages?: readonly string[];
}

const CORE = ['core'];
const TOOLS = ['core', 'scope', 'weak'];
const OBSERVERS = ['core', 'weak', 'gc'];

export const LAYERS: Readonly<Record<string, Module>> = {
  core: { layer: 0, mayImport: [] },
  scope: { layer: 1, mayImport: CORE },
  weak: { layer: 1, mayImport: CORE },
  gc: { layer: 1, mayImport: CORE },
  view: { layer: 2, mayImport: TOOLS },
  pool: { layer: 2, mayImport: TOOLS },
  memoize: { layer: 2, mayImport: TOOLS, packages: ['lru-cache'] },
  watchdog: { layer: 3, mayImport: OBSERVERS },
  profile: { layer: 3, mayImport: OBSERVERS },
  inspector: { layer: 4, mayImport: ['watchdog', 'profile', 'gc', 'core'] },
  testing: { layer: 5, mayImport: 'any layer below', host: true },
  node: { layer: 5, mayImport: 'any layer below', host: true },
  integrations: { layer: 5, mayImport: 'any layer below', host: true },
};

/**
 * The parts of a module: its sub-folders, and each file that stands in front of them. A sub-folder may import the parts
 * that are listed for it; a file in front may import any part. Parts never import each other in a circle.
 */
export const PARTS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  pool: {
    loan: ['factory', 'pool-errors', 'pool-options', 'pool-stats'],
    creation: [
      'capacity',
      'factory',
      'pool-counters',
      'pool-errors',
      'pool-events',
      'pool-options',
    ],
    queue: ['creation', 'loan', 'pool-counters', 'pool-options'],
    stock: [
      'creation',
      'factory',
      'loan',
      'pool-counters',
      'pool-errors',
      'pool-events',
      'pool-options',
      'pool-stats',
    ],
    ceiling: ['capacity', 'factory', 'pool-counters', 'queue', 'stock'],
  },
  memoize: {
    keys: [],
    stores: ['keys', 'result-origin'],
    's3-fifo': ['eviction-policy', 'keys', 'stores'],
    adaptive: ['eviction-policy', 'keys', 's3-fifo', 'stores'],
    batch: [],
    loading: [
      'any-fn',
      'cache-recorder',
      'cache-watch',
      'entries',
      'entry-options',
      'entry-terms',
      'keys',
      'load-context',
      'memoize-options',
      'shared-port',
      'stores',
    ],
    disposal: [
      'cache-identity',
      'cache-recorder',
      'cache-watch',
      'disposal-port',
      'keys',
      'loading',
      'memo-cache',
      'stores',
    ],
    dump: ['any-fn', 'keys', 'memo-cache', 'memoize', 'memoized', 'stores'],
    shared: [
      'cache-identity',
      'cache-recorder',
      'cluster-lock',
      'entry-terms',
      'invalidation-bus',
      'keys',
      'result-origin',
      'shared-port',
      'shared-store',
    ],
  },
  gc: {
    memory: ['heap-errors'],
    deallocation: ['heap-state', 'memory'],
    collectors: [
      'collection-result',
      'collector',
      'deallocation',
      'debug-flags',
      'heap-options',
      'heap-state',
      'heap-stats',
      'memory',
    ],
    views: ['collector', 'deallocation', 'heap-state', 'heap-stats', 'memory'],
    export: ['collector', 'memory', 'views'],
    program: ['base-heap', 'collectors', 'memory'],
  },
  watchdog: {
    rules: [
      'bursts',
      'certainty',
      'expectations',
      'hold-times',
      'loan',
      'count-series',
      'harmless-rise',
      'mann-kendall',
      'populations',
      'readings',
      'trend',
    ],
  },
  profile: {
    census: ['census-source'],
    measure: ['profile-errors', 'svg'],
    svg: [],
    tracer: [],
  },
  node: {
    'foreign-pools': [],
    register: ['foreign-pools', 'http-scopes', 'remove-partial', 'stderr'],
    profile: ['remove-partial', 'stderr'],
    cli: ['foreign-pools', 'profile', 'stderr'],
  },
  integrations: {
    adoption: [],
    client: ['error-chain'],
    http: [],
    mysql2: ['client', 'error-chain'],
    pg: ['client', 'error-chain'],
    redis: [],
  },
};

/** The parts that a module may import of another module, if it may not import all of it. */
export const SEAMS: Readonly<Record<string, readonly string[]>> = {
  // A loan has two hosts: the pool, and the pools of other packages that are adopted.
  'integrations → pool': [
    'loan',
    'factory',
    'pool-counters',
    'pool-errors',
    'pool-options',
    'pool-stats',
    // Pools of bare clients are made by `createPool`, like those of a user.
    'create-pool',
    'pool',
  ],
};

/** The one file of the neutral modules that may use globals of the host. */
const HOST_FILE = 'core/host.ts';

const HOST_GLOBALS = new Set([
  'process',
  'Buffer',
  'require',
  'module',
  '__dirname',
  '__filename',
  'setImmediate',
]);

/** Gives the violations of the layers in a tree, one sentence each. */
export function violationsOf(tree: SourceTree): string[] {
  const imports = importsOf(tree);
  return [
    ...[...tree.keys()].flatMap(misplaced),
    ...imports.flatMap((edge) => misdirected(edge)),
    ...[...tree].flatMap(([file, text]) => hostUses(file, text)),
    ...[...tree].flatMap(([file, text]) => indexContents(file, text)),
    ...circlesOf(imports).map((circle) => `circle: ${circle.join(' → ')}`),
    ...circlesOf(importsOfParts(imports)).map((circle) => `circle of parts: ${circle.join(' → ')}`),
  ];
}

/** Whether a bundle of one module may contain this file of the tree. */
export function mayContain(module: string, file: string): boolean {
  const folder = moduleOf(file);
  return folder === module || allowed(module, folder);
}

function misplaced(file: string): string[] {
  const module = moduleOf(file);
  if (module === '') return [];
  if (!(module in LAYERS)) return [`${file}: the folder ${module} has no layer`];
  const part = partOf(file);
  return isInSubfolder(file) && PARTS[module]?.[part] === undefined
    ? [`${file}: the folder ${module}/${part} is no part`]
    : [];
}

function misdirected({ from, to, line }: Import): string[] {
  const at = `${from}:${line}`;
  const module = moduleOf(from);
  if (module === '') return [];
  const rules = LAYERS[module];
  if (!to.endsWith('.ts')) {
    const isHost = to.startsWith('node:') || BUILTINS.has(to);
    if (isHost) return rules?.host === true ? [] : [`${at}: imports ${to}, which only Node has`];
    if (rules?.host === true || rules?.packages?.includes(to)) return [];
    return [`${at}: imports the package ${to}`];
  }
  if (to.endsWith('/index.ts') || to === 'index.ts') return [`${at}: imports the index ${to}`];
  const target = moduleOf(to);
  if (target === module) return betweenParts(at, from, to);
  if (!allowed(module, target)) return [`${at}: ${module} may not import ${target}`];
  const seam = SEAMS[`${module} → ${target}`];
  return seam === undefined || seam.includes(partOf(to))
    ? []
    : [`${at}: ${module} may not import ${target}/${partOf(to)}`];
}

function betweenParts(at: string, from: string, to: string): string[] {
  const [part, target] = [partOf(from), partOf(to)];
  if (!isInSubfolder(from) || part === target) return [];
  const module = moduleOf(from);
  return PARTS[module]?.[part]?.includes(target) === true
    ? []
    : [`${at}: ${module}/${part} may not import ${module}/${target}`];
}

/** Gives the imports between the parts of each module, as if each part were one file. */
function importsOfParts(imports: readonly Import[]): Import[] {
  return imports.flatMap(({ from, to, line }) => {
    const [source, target] = [partFile(from), partFile(to)];
    return moduleOf(from) === moduleOf(to) && source !== target
      ? [{ from: source, to: target, line }]
      : [];
  });
}

function partFile(file: string): string {
  return isInSubfolder(file) ? `${moduleOf(file)}/${partOf(file)}.ts` : file;
}

const BUILTINS = new Set(['fs', 'path', 'os', 'v8', 'vm', 'async_hooks', 'worker_threads', 'util']);

function allowed(from: string, to: string): boolean {
  const module = LAYERS[from];
  const target = LAYERS[to];
  if (module === undefined || target === undefined || target.layer >= module.layer) return false;
  return module.mayImport === 'any layer below' || module.mayImport.includes(to);
}

function hostUses(file: string, text: string): string[] {
  const module = LAYERS[moduleOf(file)];
  if (module?.host === true || file === HOST_FILE) return [];
  return globalsUsed(text, HOST_GLOBALS).map(
    (name) => `${file}: uses ${name}, which only Node has`,
  );
}

function indexContents(file: string, text: string): string[] {
  if (file !== 'index.ts' && !file.endsWith('/index.ts')) return [];
  return otherThanReExports(text).map((statement) => `${file}: more than re-exports: ${statement}`);
}

function moduleOf(file: string): string {
  return file.includes('/') ? (file.split('/')[0] as string) : '';
}

/** Gives the sub-folder of a file, or the name of a file in front of the sub-folders. */
function partOf(file: string): string {
  return (file.split('/')[1] ?? '').replace(/\.ts$/, '');
}

function isInSubfolder(file: string): boolean {
  return file.split('/').length > 2;
}
