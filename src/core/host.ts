/**
 * What the host offers beyond the language, asked for at run time so that every module still loads, and bundles, where
 * there is none of it. `process.getBuiltinModule` (Node ≥ 20.16, Bun, Deno) is the platform's own way to do this without
 * an import that a browser or a bundler could not resolve.
 */

interface HostProcess {
  getBuiltinModule?(id: string): unknown;
  cwd?(): string;
  on?(event: 'exit', listener: () => void): unknown;
  off?(event: 'exit', listener: () => void): unknown;
}

const host = (globalThis as { process?: HostProcess }).process;

/** The named built-in module of the host, or `undefined` where there is none. */
export function builtinModule<M>(id: string): M | undefined {
  return host?.getBuiltinModule?.(id) as M | undefined;
}

/** The directory that the process works in, or `undefined` where there is none. */
export function workingDirectory(): string | undefined {
  try {
    return host?.cwd?.();
  } catch {
    return undefined; // The directory was removed under the process.
  }
}

/**
 * Calls `listener` when the process ends by itself, a signal excepted, until the returned function is called. Where the
 * host has no such event it is never called.
 */
export function onProcessExit(listener: () => void): () => void {
  host?.on?.('exit', listener);
  return () => host?.off?.('exit', listener);
}
