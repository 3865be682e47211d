/** Reports the listeners of a component to its observer: each is a node until it is removed. */
import type { GuardedObserver } from './guarded-observer.js';
import type { EntryPoint, NodeId, Observer } from './probe.js';

/** What of an observer is told of listeners. */
export type ListenerObserver = Pick<Observer, 'root' | 'origin' | 'allocated' | 'freed'> &
  Partial<Pick<GuardedObserver, 'present'>>;

/** The listeners of one component, as their watch sees them. */
export interface WatchedListeners {
  readonly size: number;
  /** Is told of listeners that are added and removed. */
  watch: ListenerWatch | null;
}

/** The nodes of the listeners of one component. */
export class ListenerWatch {
  readonly #observer: ListenerObserver;
  #nodes: NodeId[] = [];

  /** Reports the listeners that `listeners` has, and all changes from now on. */
  constructor(observer: ListenerObserver, listeners: WatchedListeners) {
    this.#observer = observer;
    for (let i = 0; i < listeners.size; i++) this.#nodes.push(this.#allocated());
    listeners.watch = this;
  }

  /** Reports the listeners to an observer that has come. */
  reportPresent(to: Observer): void {
    this.#nodes = this.#nodes.map((node) => this.#observer.present?.(to, node, 'listener') ?? node);
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

/** Reports the listeners of a component to an observer that has come, and is one of those behind `observer`. */
export function reportListeners(
  observer: ListenerObserver,
  listeners: WatchedListeners,
  to: Observer,
): void {
  if (listeners.watch === null) new ListenerWatch(observer, listeners);
  else listeners.watch.reportPresent(to);
}
