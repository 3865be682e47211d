/**
 * The signals that a signal of `AbortSignal.any` depends on. Node 20 holds them weakly, and collects one of `AbortSignal.timeout` although the
 * signal has listeners: it then never aborts (nodejs/node#57736). So a listener holds them, as later versions of Node do.
 */

/** A reference to a signal, as Node keeps it. */
interface Source {
  deref?(): unknown;
}

interface WithSources {
  readonly [key: symbol]: Iterable<Source> | undefined;
}

/** The key under which Node keeps them: `undefined` before it was looked for, `null` where there is none. */
let key: symbol | null | undefined;

/** Gives the signals that `signal` depends on, which a listener of it is to hold; `undefined` if none are known. O(sources). */
export function sourcesOf(signal: AbortSignal): unknown {
  try {
    key ??= findKey();
    if (key === null) return undefined;
    const sources = (signal as unknown as WithSources)[key];
    return sources && Array.from(sources, (source) => source.deref?.());
  } catch {
    return undefined; // The signal is of another kind.
  }
}

function findKey(): symbol | null {
  if (!('any' in AbortSignal)) return null;
  const keys = Object.getOwnPropertySymbols(AbortSignal.any([new AbortController().signal]));
  return keys.find(({ description }) => description === 'kSourceSignals') ?? null;
}
