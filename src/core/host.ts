/**
 * What the host offers beyond the language. It is looked up at run time, so that every module loads and bundles on a host
 * without it. `process.getBuiltinModule` (Node ≥ 20.16, Bun, Deno) gives a module without an import, which a browser or a
 * bundler could not resolve.
 */

interface HostProcess {
  getBuiltinModule?(id: string): unknown;
  cwd?(): string;
  on?(event: 'exit', listener: () => void): unknown;
  off?(event: 'exit', listener: () => void): unknown;
}

const host = (globalThis as { process?: HostProcess }).process;

/** Gives a built-in module of the host; `undefined` where there is none. */
export function builtinModule<M>(id: string): M | undefined {
  return host?.getBuiltinModule?.(id) as M | undefined;
}

/** Gives the working directory of the process; `undefined` where there is none. */
export function workingDirectory(): string | undefined {
  try {
    return host?.cwd?.();
  } catch {
    return undefined; // The directory was removed under the process.
  }
}

/**
 * Calls `listener` when the process ends, unless a signal ends it. The result removes the listener. Where the host has no such
 * event, `listener` is never called.
 */
export function onProcessExit(listener: () => void): () => void {
  host?.on?.('exit', listener);
  return () => host?.off?.('exit', listener);
}
