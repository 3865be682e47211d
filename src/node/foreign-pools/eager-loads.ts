/**
 * Node 20 and loaders. An off-thread loader may give the source of a package itself. Node 20 then tells no hook of ours of it. So the
 * packages are required when such a loader is registered: the application gets the classes that are patched already. This loads
 * what the application may not need, and misses copies that are nested in other packages.
 *
 * Tools that trace register import-in-the-middle, which gives no source of CommonJS. A package that is loaded before such a tool has set
 * itself up is one that it does not trace. So its loader causes no load, and others cause it when the code that registers them has run.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import Module, { createRequire, syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { followsLoaders } from './module-loads.js';

/** Names of packages that load the class of another one: pg that of pg-pool, wherever it is. */
const ENTRIES = ['generic-pool', 'mysql2', 'pg', 'tarn', 'knex', 'sequelize-pool'] as const;

/** Loaders that `Module._load` sees through. */
const TRANSPARENT_LOADER =
  /tsx|ts-node|tenure|import-in-the-middle|opentelemetry|dd-trace|newrelic|elastic-apm|sentry|instana/;

/** A flag of Node that registers a loader, before ours. */
const LOADER_FLAG = /--(?:experimental-)?loader[= ](\S+)/g;

type Register = (this: unknown, specifier: unknown, ...rest: unknown[]) => unknown;

/** Requires the packages of the working directory as soon as a loader may hide them. `isWanted` says which packages. */
export function requireBehindLoaders(isWanted: (request: string) => boolean): Disposable {
  if (followsLoaders) return { [Symbol.dispose]() {} };
  const module = Module as unknown as { register: Register };
  const original = module.register;
  let isFollowing = true;
  const added = (loader: string): void => {
    if (TRANSPARENT_LOADER.test(loader)) return;
    setImmediate(() => {
      if (isFollowing) requireAll(isWanted);
    });
  };
  const register: Register = function (specifier, ...rest) {
    added(String(specifier));
    return original.call(this, specifier, ...rest);
  };
  module.register = register;
  syncBuiltinESMExports();
  const flags = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' ');
  for (const [, loader = ''] of flags.matchAll(LOADER_FLAG)) added(loader);
  return {
    [Symbol.dispose]() {
      isFollowing = false;
      if (module.register === register) module.register = original;
      syncBuiltinESMExports();
    },
  };
}

function requireAll(isWanted: (request: string) => boolean): void {
  const require = createRequire(join(process.cwd(), 'package.json'));
  for (const name of ENTRIES) {
    if (!isWanted(name)) continue;
    try {
      require(name);
    } catch {
      // The application does not have the package, or it fails as it will fail for the application.
    }
  }
}
