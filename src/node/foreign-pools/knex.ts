/**
 * Names the caller of a transaction of knex. knex asks tarn for the connection in a later turn, where the stack shows lines of knex only:
 *
 * ```
 *   knex.transaction() ──▶ client.transaction(): the caller's line and scope │ next turn ──▶ _evaluateContainer() ──▶ tarn acquire()
 * ```
 *
 * Each dialect has a class of clients with a method of its own. It is patched when a client of the dialect is seen first: when it makes
 * its pool, or when it acquires if it has one already.
 */
import { guardedCall } from '../../core/guarded-call.js';
import type { Origin } from '../../core/probe.js';
import type { KnownPools } from './known-pools.js';
import { classPatch, isPatched, type Method, type Prototype } from './patched-methods.js';
import type { PeerPackage } from './peer-package.js';
import { factsOf } from './tarn.js';

const WATCH = 'the watch of knex';

/** What the arguments of `client.transaction` are. */
type TransactionCall = [
  container: unknown,
  config?: { readonly connection?: unknown },
  outer?: object,
];

export const knex: PeerPackage = {
  name: 'tarn',
  folder: 'knex',
  isKnown: (major, minor) => (major >= 1 && major <= 3) || (major === 0 && minor === 95),
  file: 'lib/client',
  methods: ['initializePool', 'acquireConnection', 'transaction'],
  classOf: (exports) => exports,
  patch(prototype, methods, pools) {
    const patchDialect = classPatch(methods, ['transaction'], (original) =>
      namingItsCaller(pools, original),
    );
    for (const name of ['initializePool', 'acquireConnection']) {
      methods.replace(prototype, name, (original) => {
        return function (this: object, ...args: unknown[]): unknown {
          guardedCall(WATCH, () => patchDialect(this));
          return original.apply(this, args);
        };
      });
    }
  },
};

/** Replaces `client.transaction`, which makes a transaction that will ask for a connection. */
function namingItsCaller(pools: KnownPools, original: Method): Method {
  return function transaction(this: object & { readonly pool?: object }, ...args): unknown {
    const { pool } = this;
    const caller = guardedCall(WATCH, () =>
      pool !== undefined && needsConnection(args as TransactionCall) && isTarnPool(pool)
        ? pools.caller(pool, factsOf)?.origin(transaction)
        : undefined,
    );
    const made = original.apply(this, args);
    if (caller !== undefined) guardedCall(WATCH, () => serve(pools, caller, made as Prototype));
    return made;
  };
}

function needsConnection([, config, outer]: TransactionCall): boolean {
  return !outer && !config?.connection;
}

/** knex may also have a pool of the driver. */
function isTarnPool(pool: object): boolean {
  return isPatched(pool as Prototype, ['acquire']);
}

/** Has a transaction acquire for the caller that has made it. */
function serve(pools: KnownPools, caller: Origin, transaction: Prototype): void {
  const evaluate = transaction['_evaluateContainer'];
  if (typeof evaluate !== 'function') return;
  transaction['_evaluateContainer'] = (...args: unknown[]): unknown =>
    pools.serving(caller, () => Reflect.apply(evaluate, transaction, args));
}
