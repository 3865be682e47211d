/**
 * Node 20 and loaders. An off-thread loader may give the source of a package itself, as tools that trace do. Node 20 then tells
 * no hook of ours of it. So the packages are required at once when such a loader is registered: the application gets the
 * classes that are patched already. This loads what the application may not need, and misses copies that are nested in other
 * packages.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import Module, { createRequire, syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { followsLoaders } from './module-loads.js';

/** Names of packages that load the class of another one: pg that of pg-pool, wherever it is. */
const ENTRIES = ['generic-pool', 'mysql2', 'pg', 'tarn', 'knex', 'sequelize-pool'] as const;

/** Loaders that `Module._load` sees through. */
const TRANSPARENT_LOADER = /tsx|ts-node|tenure/;

/** Tools whose loader may have been registered before ours. */
const TRACING_TOOL =
  /--(?:experimental-)?loader|dd-trace|opentelemetry|import-in-the-middle|newrelic|elastic-apm|sentry/;

type Register = (this: unknown, specifier: unknown, ...rest: unknown[]) => unknown;

/** Requires the packages of the working directory as soon as a loader may hide them. `isWanted` says which packages. */
export function requireBehindLoaders(isWanted: (request: string) => boolean): Disposable {
  if (followsLoaders) return { [Symbol.dispose]() {} };
  const module = Module as unknown as { register: Register };
  const original = module.register;
  const register: Register = function (specifier, ...rest) {
    if (!TRANSPARENT_LOADER.test(String(specifier))) requireAll(isWanted);
    return original.call(this, specifier, ...rest);
  };
  module.register = register;
  syncBuiltinESMExports();
  const flags = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' ');
  if (TRACING_TOOL.test(flags)) requireAll(isWanted);
  return {
    [Symbol.dispose]() {
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
