/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The probe: the one protocol by which a component (a pool, a cache, a weak map) lets itself be watched.
 *
 * An observer is told of *lifetimes*, which it can lay out as a heap: the component is a root, what it hands out and
 * keeps are nodes, and "who holds it" are edges.
 *
 * ```
 *   component ──▶ resource ◀── lease ◀── scope            pool
 *   component ──▶ entry                                   cache, weak map
 * ```
 *
 * Rules that keep it free of charge:
 * - With no observer attached, a hot path pays one null check.
 * - Hits never report; only births, deaths, loans and touches do.
 * - The component keeps each node's id in its own record, so reporting needs no look-up.
 * - The observer holds components weakly; a component holds its observer strongly.
 *
 * The key is registered with `Symbol.for`, so a component from another package, or from a second copy of this one,
 * can join in.
 */

/** The key under which a component lets itself be watched. */
export const observe: unique symbol = Symbol.for('tenure.observe') as never;

/** The name that an {@link Observer} gave to a node. Opaque: keep it and give it back. */
export type NodeId = number;

/** What a node stands for. */
export type NodeKind = 'resource' | 'lease' | 'entry' | 'weak-target' | (string & {});

/** Where and for whom something was asked for. Opaque to the component. */
export type Origin = NonNullable<unknown>;

/** A function whose frame, and all above it, are left out of a call site: the component's public entry. */
export type EntryPoint = (...args: never[]) => unknown;

/** Who is told of lifetimes. One observer is made for each watched component. */
export interface Observer {
  /** The node of the component itself. */
  readonly root: NodeId;

  /**
   * Takes the caller's line and async scope. Call it synchronously in the public entry point, before any wait:
   * afterwards both are lost.
   */
  origin(entry: EntryPoint): Origin;

  /** A node was born, held by `owner`. */
  allocated(kind: NodeKind, owner: NodeId): NodeId;

  /**
   * `held` was handed out to the caller that `origin` names. The loan is a node of its own: the caller's scope holds
   * it, and it holds `held`.
   *
   * `capability` is the one object through which the loan can be ended. Nothing that the component or its observer
   * keeps may reach it; when V8 collects it, nobody can end the loan any more.
   */
  lent(held: NodeId, origin: Origin, capability?: WeakKey): NodeId;

  /** `from` now holds `to`. */
  referenced(from: NodeId, to: NodeId): void;

  /** `from` no longer holds `to`. */
  dropped(from: NodeId, to: NodeId): void;

  /**
   * The node's life has ended: released, evicted, destroyed, collected. `reclaimed` says of a loan that the component
   * took it back by itself, a forced close say, so that its holder is still to blame for not ending it.
   */
  freed(node: NodeId, reclaimed?: boolean): void;

  /** The node's holder did something with it. */
  touched(node: NodeId, hint?: string): void;

  /** The holder says that it will keep this loan for up to `millis` milliseconds from now, on purpose. */
  expected(node: NodeId, millis: number): void;
}

/** Figures that an observer may pull at any time; it must be cheap and have no effect. */
export type ComponentStats = Readonly<Record<string, number>>;

/**
 * What a component answers when it is watched. The component keeps it as long as it lives, and the observer keeps it
 * weakly. Disposing of it ends the watch; the component then reports nothing more.
 */
export interface Observation extends Disposable {
  /** What the component is: `'pool'`, `'cache'`, `'weak-map'`. */
  readonly kind: string;
  /** The name that its user gave it. */
  readonly name: string;
  /** The component's figures at this moment. */
  stats(): ComponentStats;
}

/** A component that can be watched. */
export interface Watchable {
  /**
   * Attaches `observer`, first telling it of everything that is alive already.
   *
   * @throws {@link AlreadyWatchedError} (`TENURE_ALREADY_WATCHED`) while another observer is attached.
   */
  [observe](observer: Observer): Observation;
}

/** True for a value that speaks the probe protocol. */
export function isWatchable(value: unknown): value is Watchable {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    typeof (value as Partial<Watchable>)[observe] === 'function'
  );
}
