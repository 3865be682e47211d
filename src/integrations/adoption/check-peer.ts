/** Refuses a pool of another package at its adoption, not at its first loan. */
import { InvalidArgumentError } from '../../core/errors.js';
import { refusePromise } from '../../core/refuse-promise.js';

/**
 * Throws unless a peer has the methods and properties that tell it from other pools. `expected` names it: `'a pg.Pool'`.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`)
 */
export function checkPeer(
  peer: unknown,
  expected: string,
  methods: readonly string[],
  properties: readonly string[] = [],
): void {
  refusePromise(peer, `adoptPool: the pool must be ${expected}, got a promise. Wait for it first.`);
  const isObject = typeof peer === 'object' && peer !== null;
  const members = peer as Readonly<Record<string, unknown>>;
  const missing = isObject
    ? [
        ...methods.filter((name) => typeof members[name] !== 'function').map((name) => `${name}()`),
        ...properties.filter((name) => members[name] === undefined),
      ]
    : [...methods.map((name) => `${name}()`), ...properties];
  if (missing.length === 0) return;
  throw new InvalidArgumentError(
    `adoptPool: the pool must be ${expected}, and this one has no ${missing.join(', ')}. Pools of other packages have an \`adoptPool\` of their own, under \`tenure/integrations/\`.`,
  );
}
