/** Checks the options of a node. */
import { aBoolean, aFunction, aName, checkOptions, integer } from '../core/options.js';
import { MAX_NODE_SIZE } from './memory/node-store.js';

const NODE_CHECKS = {
  kind: aName,
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

function isPlainlyWellFormed(options: {
  readonly kind?: unknown;
  readonly size?: unknown;
  readonly finalizer?: unknown;
  readonly legacy?: unknown;
}): boolean {
  if (typeof options !== 'object' || options === null) return false;
  for (const name in options) {
    if (name !== 'kind' && name !== 'finalizer' && name !== 'size' && name !== 'legacy')
      return false;
  }
  const { kind, size, finalizer, legacy } = options;
  return (
    (kind === undefined || (typeof kind === 'string' && kind !== '')) &&
    (finalizer === undefined || typeof finalizer === 'function') &&
    (size === undefined || NODE_CHECKS.size(size) === undefined) &&
    (legacy === undefined || typeof legacy === 'boolean')
  );
}
