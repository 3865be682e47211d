/**
 * Reports the views of an exporter, and the leases of a buffer pool with their views, to the observer of the component. Each is a
 * loan of the component's memory, and the view or the lease itself is the capability to end it. Loans that began before the watch
 * are left out, because their callers are not known.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { GuardedObserver } from '../core/guarded-observer.js';
import type { ComponentStats, EntryPoint, NodeId, Observation, Observer } from '../core/probe.js';
import type { ExportWatch } from './region.js';

/** A component as its watch sees it. */
export interface WatchedComponent {
  readonly kind: string;
  readonly name: string;
  readonly releaseAdvice: string;
  stats(): ComponentStats;
  /** Called when the watch has ended. */
  unwatched(): void;
}

/** One observer's watch over one exporter or buffer pool. */
export class ExportsWatch implements Observation, ExportWatch {
  readonly kind: string;
  readonly name: string;
  readonly releaseAdvice: string;
  /** Whether misuse that can be made harmless is counted instead of thrown. */
  readonly countsMisuse: boolean;
  readonly #observer: Observer;
  readonly #component: WatchedComponent;
  #hasEnded = false;

  constructor(component: WatchedComponent, observer: Observer) {
    this.kind = component.kind;
    this.name = component.name;
    this.releaseAdvice = component.releaseAdvice;
    this.#component = component;
    const guarded = new GuardedObserver(observer, `the ${component.kind} '${component.name}'`);
    this.#observer = guarded;
    this.countsMisuse = guarded.countsMisuse;
  }

  stats(): ComponentStats {
    return this.#component.stats();
  }

  opened(capability: WeakKey, entry: EntryPoint): NodeId {
    return this.#observer.lent(this.#observer.root, this.#observer.origin(entry), capability);
  }

  closed(node: NodeId): void {
    if (!this.#hasEnded) this.#observer.freed(node);
  }

  [Symbol.dispose](): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#component.unwatched();
  }
}
