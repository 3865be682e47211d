/**
 * Reports the views of an exporter, and the leases of a buffer pool with their views, to the observer of the component. Each is a
 * loan of the component's memory, and the view or the lease itself is the capability to end it. Loans that began before the watch
 * are left out, because their callers are not known.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import type { ComponentStats, EntryPoint, NodeId, Observer } from '../core/probe.js';
import { SharedWatch } from '../core/shared-watch.js';
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

/** The watch over one exporter or buffer pool. */
export class ExportsWatch extends SharedWatch implements ExportWatch {
  readonly kind: string;
  readonly name: string;
  override readonly releaseAdvice: string;
  override readonly isUnlimited = true;
  readonly #component: WatchedComponent;

  constructor(component: WatchedComponent, observer: Observer) {
    super(observer, `the ${component.kind} '${component.name}'`);
    this.kind = component.kind;
    this.name = component.name;
    this.releaseAdvice = component.releaseAdvice;
    this.#component = component;
  }

  /** Whether misuse that can be made harmless is counted instead of thrown. */
  get countsMisuse(): boolean {
    return this.observer.countsMisuse;
  }

  stats(): ComponentStats {
    return this.#component.stats();
  }

  opened(capability: WeakKey, entry: EntryPoint): NodeId {
    return this.observer.lent(this.observer.root, this.observer.origin(entry), capability);
  }

  closed(node: NodeId): void {
    if (!this.hasEnded) this.observer.freed(node);
  }

  /** What was lent before an observer came is left out, because its caller is not known. */
  protected override *present(): Generator<undefined> {}

  protected override ended(): void {
    this.#component.unwatched();
  }
}
