/** The packages whose pools can be watched, and the patch of one copy of a package. */
import { readFileSync } from 'node:fs';
import { guardedCall } from '../../core/guarded-call.js';
import { genericPool } from './generic-pool.js';
import { knex } from './knex.js';
import type { KnownPools } from './known-pools.js';
import { mysql2 } from './mysql2.js';
import { isPatched, type PatchedMethods, type Prototype } from './patched-methods.js';
import type { PeerName, PeerPackage } from './peer-package.js';
import { pgPool } from './pg-pool.js';
import { sequelizePool } from './sequelize-pool.js';
import { tarn } from './tarn.js';

const PACKAGES: readonly PeerPackage[] = [genericPool, mysql2, pgPool, sequelizePool, tarn, knex];

/** The path of a file with a class to patch. */
const CLASS_FILE = new RegExp(
  `/(?:${PACKAGES.map(({ folder, file }) => `${folder}/${file}`).join('|')})\\.js$`,
);

/** A name or a path whose load may load such a file. */
const MENTION = new RegExp(
  `(?:^|/)(?:${PACKAGES.map(({ name, folder }) => `${name}|${folder}`).join('|')}|sequelize)(?:/|$)`,
);

/** The names of all packages. */
export const PEER_NAMES: readonly PeerName[] = [...new Set(PACKAGES.map(({ name }) => name))];

/** The folders below `node_modules` that have the classes. `pg` has its pool in `pg-pool`. */
export const PEER_FOLDERS: readonly string[] = PACKAGES.map(({ folder }) => folder);

/** Whether the pools of a package are watched in a version such as `3.6.0`. */
export function isWatchedVersion(folder: string, version: string): boolean {
  const [major = Number.NaN, minor = Number.NaN] = version.split('.').map(Number);
  return PACKAGES.some((peer) => peer.folder === folder && peer.isKnown(major, minor));
}

/** One copy of a package that is watched. */
export interface PatchedPackage {
  /** The name of the package that has the class: `pg-pool` for pg. */
  readonly package: string;
  /** The version of this copy. */
  readonly version: string;
  /** The folder of this copy. */
  readonly path: string;
}

/** What became of a file: the package is watched, or it is left alone for a reason; `undefined` if the file has no class. */
export type PatchOutcome = PatchedPackage | string | undefined;

/** Patches the classes of the packages that are asked for. */
export class PeerPatches {
  readonly #wants: (name: PeerName) => boolean;
  readonly #methods: PatchedMethods;
  readonly #pools: KnownPools;

  /** `wants` says which packages are asked for. It is called when a package was found. */
  constructor(wants: (name: PeerName) => boolean, methods: PatchedMethods, pools: KnownPools) {
    this.#wants = wants;
    this.#methods = methods;
    this.#pools = pools;
  }

  /** Whether a path is that of a file with a class to patch. */
  isClassFile(path: string): boolean {
    return CLASS_FILE.test(path.replaceAll('\\', '/'));
  }

  /** Whether loading this, a name or a path, may load such a file. */
  mayLoadClass(request: string): boolean {
    return MENTION.test(request.replaceAll('\\', '/'));
  }

  /** Patches the class that a file exports. A package that is not known is left as it is. */
  patch(path: string, exports: unknown): PatchOutcome {
    const slashed = path.replaceAll('\\', '/');
    for (const peer of PACKAGES) {
      const folder = new RegExp(`^(.*/${peer.folder})/${peer.file}\\.js$`).exec(slashed)?.[1];
      if (folder === undefined) continue;
      return this.#wants(peer.name) ? this.#patchPeer(peer, folder, exports) : undefined;
    }
    return undefined;
  }

  #patchPeer(peer: PeerPackage, folder: string, exports: unknown): PatchOutcome {
    const prototype = prototypeOf(peer, exports);
    const [first] = peer.methods;
    if (prototype !== undefined && !Object.hasOwn(prototype, first)) return undefined;
    const manifest = manifestOf(folder);
    if (manifest.name !== undefined && manifest.name !== peer.folder) return undefined; // A folder of the application.
    const version = manifest.version ?? '?';
    const copy = `${peer.folder} ${version} (${folder})`;
    if (!isWatchedVersion(peer.folder, version)) return `${copy}: this version is not known`;
    const lacking = peer.methods.find((name) => typeof prototype?.[name] !== 'function');
    if (prototype === undefined || lacking !== undefined) {
      return `${copy}: its class has no ${lacking ?? first}()`;
    }
    if (isPatched(prototype, peer.methods)) return undefined;
    peer.patch(prototype, this.#methods, this.#pools);
    return { package: peer.folder, version, path: folder };
  }
}

function prototypeOf(peer: PeerPackage, exports: unknown): Prototype | undefined {
  const found = guardedCall(`the look at ${peer.folder}`, () => peer.classOf(exports));
  return typeof found === 'function' ? (found.prototype as Prototype | undefined) : undefined;
}

function manifestOf(folder: string): { readonly name?: string; readonly version?: string } {
  try {
    return JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as object;
  } catch {
    return {};
  }
}
