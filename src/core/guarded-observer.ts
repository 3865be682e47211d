/**
 * The guard around an observer. A component calls its observer in the middle of its work: between taking a resource and handing
 * it out, say. An observer that throws there must not cost the resource, so its error is printed, once for each watch, and the
 * component goes on.
 */
import { AlreadyWatchedError } from './errors.js';
import { reportIgnoredError } from './ignored-error.js';
import {
  type EntryPoint,
  type Holder,
  type KnownCaller,
  type Misuse,
  type NodeId,
  type NodeKind,
  type Observer,
  type Origin,
  type SharedObservers,
  sharesComponent,
} from './probe.js';

/** The id of a node that the observer failed to make. It is never passed to the observer. */
const NO_NODE: NodeId = -1;

/** What an observer that throws has captured. */
const NO_ORIGIN: Origin = {};

/** Whether an observer asks for the nodes that exist. One whose answer throws does not: a report to it will print the error. */
export function asksForPresent(observer: Observer): boolean {
  try {
    return observer.asksForPresent === true;
  } catch {
    return false;
  }
}

/** The observer of a component, or the group of those that share it. It never throws. */
export class GuardedObserver implements Observer {
  readonly root: NodeId;
  #observer: Observer;
  #group: SharedObservers | undefined = undefined;
  readonly #name: string;
  #hasFailed = false;

  /** `name` names the component in the printed report. */
  constructor(observer: Observer, name: string) {
    this.#observer = observer;
    this.#name = name;
    this.root = observer.root;
  }

  get countsMisuse(): boolean {
    return this.#observer.countsMisuse === true;
  }

  /** The observer that may own nodes, as it was attached; of a group, the one that does not share by itself. */
  get main(): Observer | undefined {
    return this.#group === undefined ? this.#observer : this.#group.main;
  }

  /** Adds an observer that shares the component, or beside one that does. */
  join(observer: Observer): void {
    if (this.#group === undefined) {
      const sharing = [observer, this.#observer].find(sharesComponent);
      if (sharing === undefined) throw new AlreadyWatchedError(this.#name.replace(/^the /, 'The '));
      const group = sharing.newGroup();
      group.add(this.#observer, true);
      this.#observer = this.#group = group;
    } else if (!sharesComponent(observer) && this.#group.main !== undefined) {
      throw new AlreadyWatchedError(this.#name.replace(/^the /, 'The '));
    }
    this.#group.add(observer, false);
  }

  /** Removes one of several observers. */
  leave(observer: Observer): void {
    this.#group?.remove(observer);
  }

  /** Reports a node that exists already to an observer, unless that knows it. `node` is its id, if an observer was told of it. */
  present(observer: Observer, node: NodeId | undefined, kind: NodeKind): NodeId {
    if (node === undefined) return this.allocated(kind, this.root);
    return this.#group === undefined ? node : this.#group.present(observer, node, kind);
  }

  /** Whether an observer was told of a node, which has an id if one was. */
  knows(observer: Observer, node: NodeId | undefined): boolean {
    if (node === undefined) return false;
    return this.#group === undefined || this.#group.idOf(observer, node) !== undefined;
  }

  /** Gives the id of a node by which {@link main} knows it; `undefined` if it does not know it, or has failed to make it. */
  idForMain(node: NodeId): NodeId | undefined {
    const group = this.#group;
    const id = group === undefined ? node : group.main && group.idOf(group.main, node);
    return id === NO_NODE ? undefined : id;
  }

  /** Gives the node that one of the observers calls `id`. */
  nodeOf(observer: Observer, id: NodeId): NodeId | undefined {
    return this.#group === undefined ? id : this.#group.nodeOf(observer, id);
  }

  get isAlone(): boolean {
    return this.#observer.isAlone === true;
  }

  origin(entry: EntryPoint): Origin {
    try {
      return this.#observer.origin(entry);
    } catch (error) {
      this.#failed(error);
      return NO_ORIGIN;
    }
  }

  originToReport(entry: EntryPoint, stack?: string): Origin | undefined {
    const observer = this.#observer;
    try {
      return observer.originToReport === undefined
        ? observer.origin(entry)
        : observer.originToReport(entry, stack);
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  allocated(kind: NodeKind, owner: NodeId, origin?: Origin): NodeId {
    if (owner === NO_NODE) return NO_NODE;
    try {
      return origin === undefined || origin === NO_ORIGIN
        ? this.#observer.allocated(kind, owner)
        : this.#observer.allocated(kind, owner, origin);
    } catch (error) {
      this.#failed(error);
      return NO_NODE;
    }
  }

  made(node: NodeId): void {
    if (node === NO_NODE) return;
    try {
      this.#observer.made?.(node);
    } catch (error) {
      this.#failed(error);
    }
  }

  ending(node: NodeId): void {
    if (node === NO_NODE) return;
    try {
      this.#observer.ending?.(node);
    } catch (error) {
      this.#failed(error);
    }
  }

  lent(held: NodeId, origin: Origin, capability?: WeakKey): NodeId {
    if (held === NO_NODE || origin === NO_ORIGIN) return NO_NODE;
    try {
      return this.#observer.lent(held, origin, capability);
    } catch (error) {
      this.#failed(error);
      return NO_NODE;
    }
  }

  referenced(from: NodeId, to: NodeId): void {
    if (from === NO_NODE || to === NO_NODE) return;
    try {
      this.#observer.referenced(from, to);
    } catch (error) {
      this.#failed(error);
    }
  }

  dropped(from: NodeId, to: NodeId): void {
    if (from === NO_NODE || to === NO_NODE) return;
    try {
      this.#observer.dropped(from, to);
    } catch (error) {
      this.#failed(error);
    }
  }

  freed(node: NodeId, reclaimed?: boolean): void {
    if (node === NO_NODE) return;
    try {
      this.#observer.freed(node, reclaimed);
    } catch (error) {
      this.#failed(error);
    }
  }

  freedMany(kind: NodeKind, nodes: Iterable<NodeId>, count: number): void {
    try {
      if (this.#observer.freedMany !== undefined) {
        this.#observer.freedMany(kind, nodes, count);
        return;
      }
    } catch (error) {
      this.#failed(error);
      return;
    }
    for (const node of nodes) this.freed(node);
  }

  touched(node: NodeId, hint?: string): void {
    if (node === NO_NODE) return;
    try {
      this.#observer.touched(node, hint);
    } catch (error) {
      this.#failed(error);
    }
  }

  expected(node: NodeId, millis: number): void {
    if (node === NO_NODE) return;
    try {
      this.#observer.expected(node, millis);
    } catch (error) {
      this.#failed(error);
    }
  }

  misused(misuse: Misuse): void {
    try {
      this.#observer.misused?.(misuse);
    } catch (error) {
      this.#failed(error);
    }
  }

  takenDirectly(held: NodeId): NodeId {
    if (held === NO_NODE) return NO_NODE;
    try {
      return this.#observer.takenDirectly?.(held) ?? NO_NODE;
    } catch (error) {
      this.#failed(error);
      return NO_NODE;
    }
  }

  givenBackDirectly(loan: NodeId): void {
    if (loan === NO_NODE) return;
    try {
      if (this.#observer.givenBackDirectly === undefined) this.#observer.freed(loan);
      else this.#observer.givenBackDirectly(loan);
    } catch (error) {
      this.#failed(error);
    }
  }

  lasted(
    loan: NodeId | undefined,
    held: NodeId,
    millis: number,
    caller?: KnownCaller,
  ): NodeId | undefined {
    if (loan === NO_NODE || held === NO_NODE) return loan;
    try {
      return this.#observer.lasted?.(loan, held, millis, caller) ?? loan;
    } catch (error) {
      this.#failed(error);
      return loan;
    }
  }

  transferred(node: NodeId, to: Holder): void {
    if (node === NO_NODE) return;
    try {
      this.#observer.transferred?.(node, to);
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    reportIgnoredError(
      `the observer of ${this.#name} (further errors of it are not printed)`,
      error,
    );
  }
}
