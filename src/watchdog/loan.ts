/**
 * A loan: something that a component handed out and has not got back. Once it is settled, the record holds strings and
 * nodes only. It must not reach the loan's capability then, nor what was lent, or V8 could not collect an abandoned one.
 */
import type { ComponentStats, NodeId } from '../core/probe.js';
import type { NodeGeneration } from '../gc/memory/node-generation.js';
import type { HoldTimes } from './hold-times.js';
import type { LifetimeNode } from './lifetime-graph.js';
import type { ScopeRecord } from './scopes.js';

/** Where and for whom a loan was asked for. */
export interface CallOrigin {
  /** The stack as the engine prints it; `undefined` if it was not taken. */
  readonly stack: string | undefined;
  readonly scope: ScopeRecord | undefined;
}

/** The component that a loan is from. */
export interface LoanSource {
  readonly kind: string;
  readonly name: string;
  readonly holdTimes: HoldTimes;
  /** The component's own node. */
  readonly node: LifetimeNode;
  /** The component's figures, as long as it exists. */
  stats(): ComponentStats | undefined;
  /** Whether everything is out and a caller waits. */
  isExhausted(): boolean;
  /** How old the simulated heap takes a loan that is out to be. */
  generationOf(loan: Loan): NodeGeneration;
  /** Takes the stack of each of the next loans: one was lost whose line is not known. */
  arm(): void;
  /** Gives a loan that is still out its place in the graph. */
  settle(loan: Loan): void;
}

export interface Loan {
  readonly component: LoanSource;
  /** By what name the component knows it. */
  readonly id: NodeId;
  /** Its place in the graph, once it is settled. */
  node: LifetimeNode | null;
  /** What was lent. */
  readonly held: LifetimeNode | undefined;
  readonly origin: CallOrigin;
  /** When it was handed out, on the watchdog's clock. */
  readonly lentAt: number;
  /** Whether an object of its own ends it, as a lease does; otherwise the component and the resource together do. */
  readonly hasCapability: boolean;
  /** That object, until the loan is settled or has ended. */
  capability: WeakKey | undefined;
  /** Until when its holder has said that it will keep it. */
  expectedUntil: number;
  lastTouch: { readonly hint: string; readonly at: number } | undefined;
  /** V8 has collected its capability. */
  collected: boolean;
  ended: boolean;
}
