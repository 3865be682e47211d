/**
 * Reports the views of an exporter to its observer. Each view is a loan of the exporter's memory, and the view itself is the
 * capability to end it. Views that were made before the watch are left out, because their callers are not known.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { GuardedObserver } from '../core/guarded-observer.js';
import type { ComponentStats, EntryPoint, NodeId, Observation, Observer } from '../core/probe.js';
import type { ExportWatch } from './region.js';

/** An exporter as its watch sees it. */
export interface WatchedExporter {
  readonly name: string;
  stats(): ComponentStats;
  /** Called when the watch has ended. */
  unwatched(): void;
}

/** One observer's watch over one exporter. */
export class ExporterWatch implements Observation, ExportWatch {
  readonly kind = 'exporter';
  readonly name: string;
  readonly releaseAdvice =
    'hold the view with `using view = memoryview(exporter)`, or call `view.release()` in a `finally` block';
  readonly #observer: Observer;
  readonly #exporter: WatchedExporter;
  #hasEnded = false;

  constructor(exporter: WatchedExporter, observer: Observer) {
    this.name = exporter.name;
    this.#exporter = exporter;
    this.#observer = new GuardedObserver(observer, `the exporter '${exporter.name}'`);
  }

  stats(): ComponentStats {
    return this.#exporter.stats();
  }

  opened(view: WeakKey, entry: EntryPoint): NodeId {
    return this.#observer.lent(this.#observer.root, this.#observer.origin(entry), view);
  }

  closed(node: NodeId): void {
    if (!this.#hasEnded) this.#observer.freed(node);
  }

  [Symbol.dispose](): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#exporter.unwatched();
  }
}
