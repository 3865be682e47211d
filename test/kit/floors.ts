/** The plan of the house: which folder stands on which floor, and what it may import. */
import {
  circlesOf,
  globalsUsed,
  type Import,
  importsOf,
  otherThanReExports,
  type SourceTree,
} from './import-graph.js';

interface Room {
  readonly floor: number;
  /** Folders it may import, besides itself. */
  readonly mayImport: readonly string[] | 'anything below';
  /** Whether it may use what only Node has. */
  readonly host?: true;
  /** Packages it may import. */
  readonly packages?: readonly string[];
}

const GROUND = ['core'];
const MODULES = ['core', 'scope', 'weak'];
const WATCHERS = ['core', 'weak', 'gc'];

export const HOUSE: Readonly<Record<string, Room>> = {
  core: { floor: 0, mayImport: [] },
  scope: { floor: 1, mayImport: GROUND },
  weak: { floor: 1, mayImport: GROUND },
  gc: { floor: 1, mayImport: GROUND },
  view: { floor: 2, mayImport: MODULES },
  pool: { floor: 2, mayImport: MODULES },
  memoize: { floor: 2, mayImport: MODULES, packages: ['lru-cache'] },
  watchdog: { floor: 3, mayImport: WATCHERS },
  profile: { floor: 3, mayImport: WATCHERS },
  inspector: { floor: 4, mayImport: ['watchdog', 'profile', 'gc', 'core'] },
  node: { floor: 5, mayImport: 'anything below', host: true },
  integrations: { floor: 5, mayImport: 'anything below', host: true },
};

/** The one file of the neutral rooms that may ask what the host is. */
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

/** Everything in which a tree departs from the plan, one sentence each. */
export function violationsOf(tree: SourceTree): string[] {
  const imports = importsOf(tree);
  return [
    ...[...tree.keys()].flatMap(misplaced),
    ...imports.flatMap((edge) => misdirected(edge)),
    ...[...tree].flatMap(([file, text]) => hostUses(file, text)),
    ...[...tree].flatMap(([file, text]) => indexContents(file, text)),
    ...circlesOf(imports).map((circle) => `circle: ${circle.join(' → ')}`),
  ];
}

/** Whether a bundle of one module may contain this file of the tree. */
export function mayContain(module: string, file: string): boolean {
  const folder = folderOf(file);
  return folder === module || allowed(module, folder);
}

function misplaced(file: string): string[] {
  const folder = folderOf(file);
  return folder === '' || folder in HOUSE
    ? []
    : [`${file}: the folder ${folder} is not on the plan`];
}

function misdirected({ from, to, line }: Import): string[] {
  const at = `${from}:${line}`;
  const folder = folderOf(from);
  if (folder === '') return [];
  const room = HOUSE[folder];
  if (!to.endsWith('.ts')) {
    const isHost = to.startsWith('node:') || BUILTINS.has(to);
    if (isHost) return room?.host === true ? [] : [`${at}: imports ${to}, which only Node has`];
    if (room?.host === true || room?.packages?.includes(to)) return [];
    return [`${at}: imports the package ${to}`];
  }
  if (to.endsWith('/index.ts') || to === 'index.ts') return [`${at}: imports the index ${to}`];
  const target = folderOf(to);
  if (target === folder || allowed(folder, target)) return [];
  return [`${at}: ${folder} may not import ${target}`];
}

const BUILTINS = new Set(['fs', 'path', 'os', 'v8', 'vm', 'async_hooks', 'worker_threads', 'util']);

function allowed(from: string, to: string): boolean {
  const room = HOUSE[from];
  const target = HOUSE[to];
  if (room === undefined || target === undefined || target.floor >= room.floor) return false;
  return room.mayImport === 'anything below' || room.mayImport.includes(to);
}

function hostUses(file: string, text: string): string[] {
  const room = HOUSE[folderOf(file)];
  if (room?.host === true || file === HOST_FILE) return [];
  return globalsUsed(text, HOST_GLOBALS).map(
    (name) => `${file}: uses ${name}, which only Node has`,
  );
}

function indexContents(file: string, text: string): string[] {
  if (file !== 'index.ts' && !file.endsWith('/index.ts')) return [];
  return otherThanReExports(text).map((statement) => `${file}: more than re-exports: ${statement}`);
}

function folderOf(file: string): string {
  return file.includes('/') ? (file.split('/')[0] as string) : '';
}
