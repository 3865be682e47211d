/** Watches the pools of other packages, without a line of the application. */
/// <reference lib="esnext.disposable" preserve="true" />
import { AlreadyWatchedError } from '../../core/errors.js';
import {
  checkArgument,
  type OptionCheck,
  type OptionTable,
  objectWith,
  option,
  resolveOptions,
} from '../../core/options.js';
import { sharedByCopies } from '../../core/shared-by-copies.js';
import type { Watchdog } from '../../watchdog/watchdog.js';
import { requireBehindLoaders } from './eager-loads.js';
import { KnownPools, type PoolSeen } from './known-pools.js';
import { type FileListener, followLoads } from './module-loads.js';
import { PatchedMethods } from './patched-methods.js';
import type { PeerName } from './peer-package.js';
import { type PatchedPackage, PEER_NAMES, PeerPatches } from './peer-packages.js';

/** Options of {@link watchForeignPools}. */
export interface ForeignPoolOptions {
  /**
   * The packages whose pools are watched.
   *
   * @default all: 'generic-pool', 'mysql2', 'pg', 'sequelize-pool', 'tarn'
   */
  readonly packages?: readonly PeerName[];
}

/** Pools of other packages that are watched, until it is disposed of. */
export interface ForeignPoolsWatch extends Disposable {
  /** The copies of packages that are watched. */
  readonly patched: readonly PatchedPackage[];
  /** The copies of packages that are left alone, with the reason. */
  readonly missed: readonly string[];
}

/** Expects an array of names of packages. */
export const somePackages: OptionCheck = (value) =>
  Array.isArray(value) && value.every((name) => PEER_NAMES.includes(name as PeerName))
    ? undefined
    : `an array of ${PEER_NAMES.map((name) => `'${name}'`).join(', ')}`;

const OPTIONS: OptionTable<Required<ForeignPoolOptions>> = {
  packages: option(somePackages, PEER_NAMES),
};

/**
 * Watches the pools of generic-pool, pg, mysql2, tarn (knex) and sequelize-pool (Sequelize), also those that exist already. The
 * packages are found as the application loads them, by `import` or `require`, in every copy. The methods of their classes are replaced
 * in place, and put back when the result is disposed of. A version that is not known is left alone and named in `missed`.
 *
 * `node --import tenure/register` does this for an application that does not know of tenure.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a value that is no watchdog, and for an unknown or malformed
 * option.
 * @throws {@link AlreadyWatchedError} (`TENURE_ALREADY_WATCHED`) while an earlier call, or `tenure/register`, watches them.
 *
 * @example
 * ```ts
 * import genericPool from 'generic-pool';
 * import { watchForeignPools } from 'tenure/node';
 * import { Watchdog } from 'tenure/watchdog';
 *
 * using watchdog = new Watchdog();
 * using foreign = watchForeignPools(watchdog, { packages: ['generic-pool'] });
 * const factory = { create: async () => ({}), destroy: async () => {} };
 * const pool = genericPool.createPool(factory);
 * await watchdog.scope('job', () => pool.acquire()); // Never released.
 *
 * const [leak] = await watchdog.check();
 * leak?.component.name; // => 'generic-pool'
 * foreign.patched[0]?.package; // => 'generic-pool'
 * ```
 */
export function watchForeignPools(
  watchdog: Watchdog,
  options: ForeignPoolOptions = {},
): ForeignPoolsWatch {
  checkArgument('watchForeignPools', 'watchdog', watchdog, objectWith('watch'));
  const { packages } = resolveOptions<Required<ForeignPoolOptions>>(
    'watchForeignPools',
    options,
    OPTIONS,
  );
  return followForeignPools({
    wants: (name) => packages.includes(name),
    poolSeen: (pool) => watchdog.watch(pool),
    givesWay: false,
    packageFound() {},
  });
}

/** Told of packages and pools. */
export interface ForeignPoolsListener {
  /** Whether a package is to be watched. Called when it was found. */
  wants(name: PeerName): boolean;
  /** Called with each pool when its first caller asks for a resource. */
  readonly poolSeen: PoolSeen;
  /** Whether the loans that an adopted pool reports to any watchdog are left out; otherwise only those that it reports to the same one. */
  readonly givesWay: boolean;
  /** Called when a copy of a package was found, and is watched or left alone. */
  packageFound(): void;
}

/** Says whether the packages are followed. All copies of this package share it: a class can be patched once. */
const following = sharedByCopies('tenure.foreign-pools', () => ({ isOn: false }));

/**
 * Patches the packages, and tells of the pools that their users have.
 *
 * @throws {@link AlreadyWatchedError} (`TENURE_ALREADY_WATCHED`) while an earlier call is active.
 */
export function followForeignPools(listener: ForeignPoolsListener): ForeignPoolsWatch {
  if (following.isOn) throw new AlreadyWatchedError('Each pool of another package');
  following.isOn = true;
  const patched: PatchedPackage[] = [];
  const missed: string[] = [];
  const methods = new PatchedMethods();
  const pools = new KnownPools(listener.poolSeen, listener.givesWay);
  const patches = new PeerPatches((name) => listener.wants(name), methods, pools);
  const files: FileListener = {
    isWanted: (path) => patches.isClassFile(path),
    mayLoadWanted: (request) => patches.mayLoadClass(request),
    loaded(path, exports) {
      const outcome = patches.patch(path, exports);
      if (outcome === undefined) return;
      if (typeof outcome !== 'string') patched.push(outcome);
      else if (missed.includes(outcome)) return;
      else missed.push(outcome);
      listener.packageFound();
    },
  };
  const loads = followLoads(files);
  const eager = requireBehindLoaders(files.mayLoadWanted);
  return {
    patched,
    missed,
    [Symbol.dispose]() {
      eager[Symbol.dispose]();
      loads[Symbol.dispose]();
      methods[Symbol.dispose]();
      pools.close();
      following.isOn = false;
    },
  };
}
