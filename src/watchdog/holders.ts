/** Finds the node that holds a loan: a scope, or the value, entry, resource or stack for which it is taken. */
import type { Owner } from '../core/current-owner.js';
import type { Holder, Observer } from '../core/probe.js';
import type { CallOrigin } from './call-origin.js';
import type { LifetimeGraph, LifetimeNode } from './lifetime-graph.js';
import type { NodeTable } from './node-table.js';
import { OpenScope } from './open-scope.js';
import type { Scopes } from './scopes.js';

export class Holders {
  readonly #graph: LifetimeGraph;
  readonly #scopes: Scopes;
  readonly #outsideScopes: LifetimeNode;
  /** The nodes of each watched component, by its observer. */
  readonly #tables = new WeakMap<Observer, NodeTable>();

  constructor(graph: LifetimeGraph, scopes: Scopes, outsideScopes: LifetimeNode) {
    this.#graph = graph;
    this.#scopes = scopes;
    this.#outsideScopes = outsideScopes;
  }

  /** Makes the nodes of a component known. */
  add(observer: Observer, table: NodeTable): void {
    this.#tables.set(observer, table);
  }

  /** Gives the node of what is being made in the current async flow, if this watchdog knows it. */
  currentOwner(): LifetimeNode | undefined {
    const owner = this.#scopes.currentOwner();
    return owner === undefined ? undefined : this.#ofOwner(owner);
  }

  /** Gives the node that a caller's loans belong to; `undefined` if its scope has ended. */
  ofCaller({ owner, scope }: CallOrigin): LifetimeNode | undefined {
    if (owner !== undefined && this.#graph.heap.isAlive(owner.handle)) return owner;
    const root = scope === undefined ? undefined : this.#scopes.rootOf(scope);
    return owner === undefined && scope !== undefined ? root : (root ?? this.#outsideScopes);
  }

  /** Gives the node that a loan is handed over to; `undefined` if this watchdog knows none that is alive. */
  of(to: Holder): LifetimeNode | undefined {
    if (to instanceof OpenScope)
      return this.#scopes.isOwn(to) ? this.#scopes.rootOf(to) : undefined;
    return 'call' in to ? this.ofCaller(to as CallOrigin) : this.#ofOwner(to as Owner);
  }

  #ofOwner({ observer, node }: Owner): LifetimeNode | undefined {
    if (observer === undefined || node === undefined) return undefined;
    return this.#tables.get(observer)?.node(node);
  }
}
