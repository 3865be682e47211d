/**
 * The probe: the protocol by which a component (a pool, a cache, a weak map) lets itself be watched.
 *
 * The component reports *lifetimes* to an observer, which can lay them out as a heap. The component is a root. What it keeps and
 * lends are nodes. An edge leads from a holder to what it holds.
 *
 * ```
 *   component ──▶ resource ◀── lease ◀── scope            pool
 *   component ──▶ entry                                   cache, weak map
 * ```
 *
 * Rules that keep it cheap:
 * - Without an observer, a hot path pays one null check.
 * - Cache hits are never reported.
 * - The component keeps the id of a node in its own record, so a report needs no look-up.
 * - The observer holds components weakly. A component holds its observer strongly.
 *
 * The key is registered with `Symbol.for`. Components of other packages can thus be watched, and components of a second copy
 * of this package.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { isObject } from './is-object.js';
import type { OptionCheck } from './options.js';

/** The key of the method by which a component lets itself be watched. */
export const observe: unique symbol = Symbol.for('tenure.observe') as never;

/** The id that an {@link Observer} gave to a node. Opaque: keep it and pass it to the observer. */
export type NodeId = number;

/** The kind of a node. */
export type NodeKind = 'resource' | 'lease' | 'entry' | 'weak-target' | (string & {});

/** The caller that asked for a resource: its line and its async scope. Opaque to the component. */
export type Origin = NonNullable<unknown>;

/** The component's public function that the caller called. Its frame and the frames within it are left out of the call site. */
export type EntryPoint = (...args: never[]) => unknown;

/**
 * Who is to hold a loan from now on: a scope of a watchdog, or an owner (`core/current-owner.ts`), such as a stack. Opaque to the
 * component, which passes it to its observer.
 */
export type Holder = NonNullable<unknown>;

/** How many loans a component has granted. */
export interface LoanCounts {
  /** Those that are out. */
  readonly out: number;
  /** All since the component was created. */
  readonly begun: number;
}

/** The key of the method by which the object that ends a loan lets the loan be handed over: `lease[handOver](to)`. */
export const handOver: unique symbol = Symbol.for('tenure.handOver') as never;

/** An object that ends a loan, and that can tell the loan's observer who holds it now. */
export interface Transferable {
  /** Reports that `to` holds the loan from now on. Without effect after the end of the loan, or without an observer. */
  [handOver](to: Holder): void;
}

/** Whether a value is the end of a loan that can be handed over. */
export function isTransferable(value: unknown): value is Transferable {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Partial<Transferable>)[handOver] === 'function'
  );
}

/** What a component has recorded of the caller that took a loan. */
export interface KnownCaller {
  /** The public function that was called, as `'lease'`. */
  readonly call: string;
  /** The stack that called it, as the engine prints it; `undefined` if it was not taken. */
  readonly stack: string | undefined;
}

/** A loan that had ended was ended again. */
export interface Misuse {
  /** The public function that was called, as `'release'`. */
  readonly call: string;
  /** The stack that called it, as the engine prints it. */
  readonly stack: string;
  /** The stack that had ended the loan; `undefined` if it was not taken. */
  readonly earlier: string | undefined;
}

/**
 * The receiver of a component's reports. Each watched component has an observer of its own. Observers that share a component are one
 * observer to it (`core/observer-group.ts`): a watchdog, and any number of tracers.
 */
export interface Observer {
  /** The node of the component itself. */
  readonly root: NodeId;

  /**
   * Whether the component counts a misuse that it can make harmless, instead of throwing. A watchdog asks for it at the level
   * `counters`, so that the code of a service does not die in a `finally` block.
   *
   * @default false
   */
  readonly countsMisuse?: boolean;

  /**
   * Whether the observer watches no other component. What is being made can then own no loans, and need not travel in the async
   * context, which makes each `await` of the process slower on Node 20 and 22.
   *
   * @default false
   */
  readonly isAlone?: boolean;

  /**
   * Whether the observer asks for the nodes that exist already, by {@link Observation.reportPresent}. Without it, a component reports
   * all of them when it is watched, which stops the process if they are many.
   *
   * @default false
   */
  readonly asksForPresent?: boolean;

  /**
   * Who gets the reports. All observers of one watchdog have the same.
   *
   * @default none: the observer judges no loans
   */
  readonly receiver?: object | undefined;

  /**
   * Whether the watch has ended. A component with many parts ends their watches in later turns, and at once for a part that is watched
   * anew.
   *
   * @default false
   */
  readonly hasEnded?: boolean;

  /**
   * Takes the line and the async scope of the caller. Call it synchronously in the public function `entry`, before any await:
   * both are lost afterwards.
   */
  origin(entry: EntryPoint): Origin;

  /**
   * Does what {@link origin} does for a component that counts its loans, see {@link Observation.loanCounts}; `undefined` if the component
   * is not to report the loan. Reporting a loan takes as long as half of it. `stack` is the caller's, if the component has taken it.
   *
   * @default none: each loan is reported
   */
  originToReport?(entry: EntryPoint, stack?: string): Origin | undefined;

  /** Reports a new node, held by `owner`. Gives its id. `origin` is the caller that made it, if it was captured. */
  allocated(kind: NodeKind, owner: NodeId, origin?: Origin): NodeId;

  /**
   * Reports that a node is whole which was reported while it was being made. The component keeps it, with all that its maker has
   * leased for it.
   */
  made?(node: NodeId): void;

  /** Reports that the component ends a node now, which may take a while: its result is being disposed of. {@link freed} follows. */
  ending?(node: NodeId): void;

  /**
   * Reports that `held` was lent to the caller of `origin`. The loan is a node of its own: the caller's scope holds it, and it
   * holds `held`. Gives the id of the loan.
   *
   * `capability` is the one object that can end the loan. Neither the component nor its observer may keep an object that
   * reaches it. When V8 has collected it, no code can end the loan any more.
   */
  lent(held: NodeId, origin: Origin, capability?: WeakKey): NodeId;

  /** Reports that `from` now holds `to`. */
  referenced(from: NodeId, to: NodeId): void;

  /** Reports that `from` no longer holds `to`. */
  dropped(from: NodeId, to: NodeId): void;

  /**
   * Reports the end of a node: it was released, evicted, destroyed or collected. For a loan, `reclaimed` says that the
   * component took it back by force, as a forced close does. It then stays a leak, since its holder has not ended it. The
   * component reports `freed` once more if the holder ends it after all.
   *
   * For the {@link root} it says that the component has ended, as a closed pool has.
   */
  freed(node: NodeId, reclaimed?: boolean): void;

  /**
   * Reports the end of `count` nodes of one kind, such as the entries of a cache that is cleared. The observer may take them from `nodes`
   * in later turns. They may be fewer, if the observer has not been told of all of them.
   *
   * @default none: the component reports each of them by {@link freed}
   */
  freedMany?(kind: NodeKind, nodes: Iterable<NodeId>, count: number): void;

  /** Reports that the holder of a loan used it; `hint` says for what. */
  touched(node: NodeId, hint?: string): void;

  /** Reports that the holder of a loan means to keep it for up to `millis` milliseconds from now. */
  expected(node: NodeId, millis: number): void;

  /**
   * Reports that a loan which had ended was ended again. The component refuses that with an error, which the caller may
   * swallow.
   */
  misused?(misuse: Misuse): void;

  /**
   * Reports a loan that the component has not lent: another user took a resource from the pool underneath. Gives the id of the
   * loan. The component has found it, so neither its caller nor its begin is known.
   */
  takenDirectly?(held: NodeId): NodeId;

  /**
   * Reports that the pool underneath has the resource of a loan back, although the loan has not been ended. Nothing is lost. The
   * component reports nothing more of the loan.
   */
  givenBackDirectly?(loan: NodeId): void;

  /**
   * Reports that a loan of `held` is still out, `millis` milliseconds or longer after its begin. An observer that counted it only may
   * track it from now on. `loan` is `undefined` if it began before the observer came. Gives the id of the loan from now on. A component
   * reports it by itself, which it says by {@link Observation.tellsLasting}, or when it is asked for its loans.
   */
  lasted?(
    loan: NodeId | undefined,
    held: NodeId,
    millis: number,
    caller?: KnownCaller,
  ): NodeId | undefined;

  /** Reports that a loan, or all that another node holds, is held by `to` from now on. */
  transferred?(node: NodeId, to: Holder): void;

  /**
   * @internal Makes the group by which this observer shares a component with others. It is told which nodes begin and end, not who
   * refers to them. Observers without it do not share a component with each other. The code comes with the observer, so that
   * components do not carry it.
   */
  newGroup?(): SharedObservers;

  /** Gives the observer of a part of the component, such as the pool of one key. Its root is held by the component's. */
  part?(name: string): ObserverOfPart;
}

/** The observer of a part of a component. */
export interface ObserverOfPart extends Observer, Disposable {
  /** Takes the part's answer to being watched. */
  attached(observation: Observation): void;
  /** Ends the part. */
  [Symbol.dispose](): void;
}

/** Observers that share a component. Nodes have ids of the group, which it maps to those of each observer. */
export interface SharedObservers extends Observer {
  /** The observer that does not share by itself, as it was attached: a watchdog. */
  readonly main: Observer | undefined;
  /** Adds an observer. `knowsNodes` says that the ids of the nodes so far are its own. */
  add(observer: Observer, knowsNodes: boolean): void;
  /** Removes an observer, which is told nothing more. */
  remove(observer: Observer): void;
  /** Reports a node that exists to an observer, unless that knows it. Gives its id in the group. */
  present(observer: Observer, node: NodeId, kind: NodeKind): NodeId;
  /** Gives an observer's own id of a node; `undefined` if it knows none. */
  idOf(observer: Observer, node: NodeId): NodeId | undefined;
  /** Gives the node of the group that an observer calls `id`. O(nodes). */
  nodeOf(observer: Observer, id: NodeId): NodeId | undefined;
}

/** Whether an observer shares its component with others. Calls no code of the observer. */
export function sharesComponent(
  observer: Observer,
): observer is Observer & { newGroup(): SharedObservers } {
  return 'newGroup' in observer;
}

/** The figures of a component. */
export type ComponentStats = Readonly<Record<string, number>>;

/**
 * A component's answer to being watched. The component keeps it as long as it lives, and the observer holds it weakly.
 * Disposing of it ends the watch: the component reports nothing more.
 */
export interface Observation extends Disposable {
  /** The kind of the component: `'pool'`, `'cache'`, `'weak-map'`. */
  readonly kind: string;
  /** The name that its user gave it. */
  readonly name: string;
  /**
   * What a holder has to do so that its loan ends on every path, as a clause for reports.
   *
   * @default the advice for a pool: hold the lease with `await using`, or use `use(fn)`; for what {@link lendsShared}: hold it with `using`
   */
  readonly releaseAdvice?: string | undefined;
  /**
   * What ends the component, as `close()`. Without it, a component that no code reaches ends by itself, and only V8's collector
   * tells.
   *
   * @default none
   */
  readonly endedBy?: string | undefined;
  /**
   * How long an entry can live, in milliseconds. It takes that long until births and deaths are in balance.
   *
   * @default Infinity
   */
  readonly entryMillis?: number | undefined;
  /**
   * Whether the component reports the loans that last, by {@link Observer.lasted}. A busy observer then need not track each loan from
   * its begin.
   *
   * @default false
   */
  readonly tellsLasting?: boolean | undefined;
  /**
   * Whether many callers hold what it lends at once, as a shared value. A loan then keeps no other caller waiting, so a long one is
   * usual.
   *
   * @default false
   */
  readonly lendsShared?: boolean | undefined;
  /**
   * Whether it lends as much as is asked for. A loan then keeps no other caller waiting, so a long one is usual.
   *
   * @default false
   */
  readonly isUnlimited?: boolean | undefined;
  /**
   * Whether its parts, see {@link Observer.part}, lend what it lends. Its figures are then sums over them, which may take long.
   *
   * @default false
   */
  readonly hasParts?: boolean | undefined;
  /** Gives how many resources all parts may have together; absent if each part has a limit of its own only. */
  maxTotal?(): number;
  /** Gives the component's figures at this moment. It is cheap, has no effect, and may be called at any time. */
  stats(): ComponentStats;
  /**
   * Gives how many loans there are, those that are not reported included. A component that has it asks for
   * {@link Observer.originToReport}, and has {@link reportLoans}. O(1).
   *
   * @default none: the component reports each loan
   */
  loanCounts?(): LoanCounts;
  /**
   * Reports at most `most` of the nodes that existed when the observer came and that it does not know. True while there are more. A
   * node that begins or ends meanwhile is reported as usual.
   *
   * @default none: the component reports all of them at once
   */
  reportPresent?(most: number): boolean;
  /**
   * Called before the observer looks at the component's figures, and before it tells that a loan is lost. A component over
   * another pool compares its loans with those of that pool, and reports the differences.
   */
  look?(): void;
  /**
   * Reports each loan that is out, by {@link Observer.lasted}. An observer that does not track each loan asks for it when the component
   * is exhausted. O(loans that are out).
   *
   * @default none: such an observer does not learn which loans are out
   */
  reportLoans?(): void;
  /**
   * Called with a loan whose capability V8 has collected: no code can end the loan any more. The component may take the
   * resource back. It then reports the end of the loan as `reclaimed`.
   */
  abandoned?(loan: NodeId): void;
}

/** A component that can be watched. */
export interface Watchable {
  /**
   * Attaches `observer`, and reports to it the nodes that exist already. An observer that {@link Observer.asksForPresent} may be told of
   * them later, by {@link Observation.reportPresent}.
   *
   * @throws {@link AlreadyWatchedError} (`TENURE_ALREADY_WATCHED`) while another observer is attached that does not share it.
   */
  [observe](observer: Observer): Observation;
}

/** Whether a value can be watched. */
export function isWatchable(value: unknown): value is Watchable {
  return isObject(value) && typeof (value as Partial<Watchable>)[observe] === 'function';
}

/** Expects a component that can be watched. */
export const aWatchable: OptionCheck = (value) =>
  isWatchable(value)
    ? undefined
    : 'a component that can be watched: a pool, a cache or a weak map of tenure (adopt a pool of another package by `adoptPool` of its `tenure/integrations/…`)';
