/**
 * The record of a loan: of a resource that a component has lent and not got back.
 *
 * A loan is *settled* when it is still out after some microtasks: it gets a node in the simulated heap and is registered with
 * V8. From then on the record holds strings and nodes only. It must reach neither the capability nor the resource: V8 could
 * not collect the lease of an abandoned loan.
 */
import type { ComponentStats, NodeId } from '../core/probe.js';
import type { NodeGeneration } from '../gc/memory/node-generation.js';
import type { HoldTimes } from './hold-times.js';
import type { LifetimeNode } from './lifetime-graph.js';
import type { ScopeRecord } from './scopes.js';
import type { Shortage } from './shortage.js';

/** The caller that asked for a loan. */
export interface CallOrigin {
  /** The component's function that the caller called. Its name is read for a report only: reading it costs some 20 ns. */
  readonly call: { readonly name: string };
  /** The caller's stack as the engine prints it; `undefined` if it was not taken. */
  readonly stack: string | undefined;
  /** For a loan that was ended twice: the stack that ended it first, if it was taken. */
  readonly earlier?: string;
  /** The caller's scope; `undefined` outside of any scope. */
  readonly scope: ScopeRecord | undefined;
  /** The value that was being created when the caller asked, and that owns the loan; `undefined` if the scope owns it. */
  readonly owner: LifetimeNode | undefined;
}

/** The component that has lent a resource. */
export interface LoanSource {
  /** `'pool'`, `'cache'`, … */
  readonly kind: string;
  /** The name that its user gave it. */
  readonly name: string;
  /** What a holder has to do so that its loan ends on every path; `undefined` if it is what a pool needs. */
  readonly releaseAdvice: string | undefined;
  /** How long its returned loans were held. */
  readonly holdTimes: HoldTimes;
  /** The component's own node. */
  readonly node: LifetimeNode;
  /** Gives the component's figures; `undefined` once it has been collected. */
  stats(): ComponentStats | undefined;
  /** Whether it has run dry, as the last sweep or check has seen it. */
  readonly shortage: Shortage;
  /** Gives the generation of a loan in the simulated heap. */
  generationOf(loan: Loan): NodeGeneration;
  /** Takes the stacks of the next loans: the line of a lost loan is unknown. */
  captureNextStacks(): void;
  /** Gives a loan that is still out its node. */
  settle(loan: Loan): void;
  /** Tells the component that no code can end the loan any more. */
  abandoned(loan: Loan): void;
}

/** A loan, from the moment in which it was lent. */
export interface Loan {
  readonly component: LoanSource;
  /** The id under which the component reports the loan. */
  readonly id: NodeId;
  /** Its node in the graph; `null` until it is settled. */
  node: LifetimeNode | null;
  /** The node of the lent resource. */
  readonly held: LifetimeNode | undefined;
  readonly origin: CallOrigin;
  /** When it began, on the watchdog's clock, in milliseconds. */
  readonly lentAt: number;
  /** Whether an object of its own ends the loan, as a lease does. Without one, the holder gives the resource to the component. */
  readonly hasCapability: boolean;
  /** The object that ends the loan; `undefined` once the loan is settled or has ended. */
  capability: WeakKey | undefined;
  /** Until when the holder means to keep it, on the watchdog's clock; 0 if the holder has not said so. */
  expectedUntil: number;
  /** What the holder last did with it, and when, if the level records that. */
  lastTouch: { readonly hint: string; readonly at: number } | undefined;
  /** How many loans of its component had come back when it began. */
  readonly returnsBefore: number;
  /** Whether its owner has ended first, or had ended when it began. */
  isUnheld: boolean;
  /** Whether V8 has collected its capability. */
  collected: boolean;
  /** Whether it has come back. */
  ended: boolean;
}
