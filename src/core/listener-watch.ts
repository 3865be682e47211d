/** Reports the listeners of a component to its observer: each is a node until it is removed. */
import type { GuardedObserver } from './guarded-observer.js';
import type { EntryPoint, NodeId } from './probe.js';

/** The listeners of one component, as their watch sees them. */
export interface WatchedListeners {
  readonly size: number;
  /** Is told of listeners that are added and removed. */
  watch: ListenerWatch | null;
}

export class ListenerWatch {
  readonly #observer: GuardedObserver;
  #nodes: NodeId[] = [];

  /** Reports the listeners that `listeners` has, and all changes from now on. */
  constructor(observer: GuardedObserver, listeners: WatchedListeners) {
    this.#observer = observer;
    for (let i = 0; i < listeners.size; i++) this.#nodes.push(this.#allocated());
    listeners.watch = this;
  }

  /** Reports the listeners to an observer that has come. */
  reportPresent(): void {
    this.#nodes = this.#nodes.map((node) => this.#observer.present(node, 'listener'));
  }

  /** Reports that a caller of `entry` has added a listener. */
  added(entry: EntryPoint): void {
    const origin = this.#observer.origin(entry);
    this.#nodes.push(this.#observer.allocated('listener', this.#observer.root, origin));
  }

  /** Reports that listeners were removed. The nodes are alike, so it does not matter which of them end. */
  removed(count: number): void {
    for (const node of this.#nodes.splice(-count, count)) this.#observer.freed(node);
  }

  #allocated(): NodeId {
    return this.#observer.allocated('listener', this.#observer.root);
  }
}
