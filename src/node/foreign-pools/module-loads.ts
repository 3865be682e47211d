/**
 * Tells of files that Node has loaded, by the two ways that work together on every version, with every loader:
 *
 * | way | sees | does not see |
 * |---|---|---|
 * | `Module._load`, wrapped | `require` and `import` of CommonJS, also under tsx | a package whose source an off-thread loader has given |
 * | `module.registerHooks` (from 22.15) | that, by a line at the end of the source | files that tsx loads |
 *
 * Node 20 has no `registerHooks`. There the packages are required at once when an off-thread loader is registered.
 *
 * `Module._extensions` and `_compile` are not seen by tsx and by loaders. `module.register` takes 120 ms, runs in another thread,
 * and is deprecated from Node 26.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import Module from 'node:module';
import { fileURLToPath } from 'node:url';
import { guardedCall } from '../../core/guarded-call.js';

/** Asks for files, and is told of them. */
export interface FileListener {
  /** Whether the file has to be told of. */
  isWanted(path: string): boolean;
  /** Whether loading this name or path may load a wanted file. */
  mayLoadWanted(request: string): boolean;
  /** Called when a wanted file has run. It may be called again for the same file. */
  loaded(path: string, exports: unknown): void;
}

/** The function that the added line of a source calls. */
const LOADED: unique symbol = Symbol.for('tenure.loaded') as never;

interface LoadResult {
  readonly format?: string | null | undefined;
  readonly source?: string | ArrayBuffer | NodeJS.ArrayBufferView | null | undefined;
}

type NextLoad = (url: string, context: unknown) => LoadResult;

/** The parts of `node:module` that are used, which its types do not have on every version. */
interface ModuleInternals {
  _load: (this: unknown, request: unknown, ...rest: unknown[]) => unknown;
  readonly _cache: Readonly<
    Record<string, { readonly loaded: boolean; readonly exports: unknown }>
  >;
  registerHooks?(hooks: { load(url: string, context: unknown, nextLoad: NextLoad): LoadResult }): {
    deregister(): void;
  };
}

const internals = Module as unknown as ModuleInternals;

/** Whether this version of Node can follow files that an off-thread loader gives. */
export const followsLoaders: boolean = internals.registerHooks !== undefined;

/** Tells of the wanted files that are loaded already, and of those that are loaded from now on. The result ends it. */
export function followLoads(listener: FileListener): Disposable {
  const tell = (path: string, exports: unknown): void => {
    guardedCall(`the look at ${path}`, () => listener.loaded(path, exports));
  };
  const tellOfCache = (): void => {
    for (const path of Object.keys(internals._cache)) {
      if (!listener.isWanted(path)) continue;
      const module = internals._cache[path];
      if (module?.loaded === true) tell(path, module.exports);
    }
  };

  const original = internals._load;
  let isFollowing = true;
  const load = function (this: unknown, request: unknown, ...rest: unknown[]): unknown {
    const exports = original.call(this, request, ...rest);
    if (isFollowing && typeof request === 'string' && listener.mayLoadWanted(request))
      tellOfCache();
    return exports;
  };
  internals._load = load;
  const hooks = internals.registerHooks?.({
    load: (url, context, nextLoad) => withLine(url, nextLoad(url, context), listener),
  });
  Reflect.set(globalThis, LOADED, tell);
  tellOfCache();

  return {
    [Symbol.dispose]() {
      isFollowing = false;
      if (internals._load === load) internals._load = original;
      hooks?.deregister();
      Reflect.deleteProperty(globalThis, LOADED);
    },
  };
}

/** Files that have no line added: their source is no CommonJS. */
const OTHER_FORMATS = new Set(['module', 'json', 'wasm', 'builtin', 'addon']);

/** Adds a line to the source of a wanted file, which tells of its exports. */
function withLine(url: string, result: LoadResult, listener: FileListener): LoadResult {
  if (!url.startsWith('file:') || !listener.isWanted(url.replace(/[?#].*$/, ''))) return result;
  const { format, source } = result;
  // The format of a package without a "type" is not known when it is required.
  if (source === undefined || source === null || OTHER_FORMATS.has(format ?? '')) return result;
  // Another loader may give bytes. String() would turn them into numbers, which are valid JavaScript.
  const text = typeof source === 'string' ? source : new TextDecoder().decode(source);
  const path = JSON.stringify(fileURLToPath(url.replace(/[?#].*$/, '')));
  return {
    ...result,
    source: `${text}\n;globalThis[Symbol.for('tenure.loaded')]?.(${path}, module.exports);`,
  };
}
