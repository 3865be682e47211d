/** Checks the options of a node. */
import { aBoolean, aFunction, aName, checkOptions, integer } from '../core/options.js';
import { MAX_NODE_SIZE } from './memory/node-store.js';

const NODE_CHECKS = {
  kind: aName,
  site: aName,
  size: integer(0, MAX_NODE_SIZE),
  finalizer: aFunction,
  legacy: aBoolean,
};

/**
 * Throws an `InvalidArgumentError` for an unknown or malformed option. Each allocation calls this function, so plain
 * valid options skip the full check.
 */
export function checkNodeOptions(options: object): void {
  if (isPlainlyWellFormed(options)) return;
  checkOptions<{ [name in keyof typeof NODE_CHECKS]: unknown }>('heap.alloc', options, NODE_CHECKS);
}

const PLAIN_NAMES: ReadonlySet<string> = new Set(Object.keys(NODE_CHECKS));

function isPlainlyWellFormed(options: {
  readonly kind?: unknown;
  readonly site?: unknown;
  readonly size?: unknown;
  readonly finalizer?: unknown;
  readonly legacy?: unknown;
}): boolean {
  if (typeof options !== 'object' || options === null) return false;
  for (const name in options) {
    if (!PLAIN_NAMES.has(name)) return false;
  }
  const { kind, site, size, finalizer, legacy } = options;
  return (
    (kind === undefined || (typeof kind === 'string' && kind !== '')) &&
    (site === undefined || (typeof site === 'string' && site !== '')) &&
    (finalizer === undefined || typeof finalizer === 'function') &&
    (size === undefined || NODE_CHECKS.size(size) === undefined) &&
    (legacy === undefined || typeof legacy === 'boolean')
  );
}
