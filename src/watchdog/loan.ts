/**
 * The record of a loan: of a resource that a component has lent and not got back.
 *
 * A loan is *settled* when it is still out after some microtasks: it gets a node in the simulated heap and is registered with
 * V8. From then on the record holds strings and nodes only. It must reach neither the capability nor the resource: V8 could
 * not collect the lease of an abandoned loan.
 */
import type { ComponentStats, NodeId } from '../core/probe.js';
import type { NodeGeneration } from '../gc/memory/node-generation.js';
import type { CallOrigin } from './call-origin.js';
import type { HeapEvidence } from './heap-evidence.js';
import type { HoldTimes } from './hold-times.js';
import type { LifetimeNode } from './lifetime-graph.js';
import type { LoanSite } from './loan-sites.js';
import type { Shortage } from './shortage.js';

/** Live objects of one kind and site. */
export interface Members {
  /** Their kind in the simulated heap. */
  readonly kind: string;
  /** How many live. */
  readonly live: number;
  /** How many lived at the last full collections, the oldest first. */
  counts(): number[];
}

/** The component that has lent a resource. */
export interface LoanSource {
  /** `'pool'`, `'cache'`, … */
  readonly kind: string;
  /** The name that its user gave it. */
  readonly name: string;
  /** What a holder has to do so that its loan ends on every path; `undefined` if it is what a pool needs. */
  readonly releaseAdvice: string | undefined;
  /** What ends the component, as `close()`; `undefined` if V8's collector does. */
  readonly endedBy: string | undefined;
  /** How long an entry can live, in milliseconds. */
  readonly entryMillis: number;
  /** The part of the component, such as the key of a pool by key. */
  readonly partName?: string;
  /** How long its returned loans were held. */
  readonly holdTimes: HoldTimes;
  /** The component's own node, if it has one. */
  readonly node: LifetimeNode | undefined;
  /** Gives the component's figures; `undefined` once it has been collected. */
  stats(): ComponentStats | undefined;
  /** Whether it has run dry, as the last sweep or check has seen it. */
  readonly shortage: Shortage;
  /** How often young generations of the simulated heap were collected. */
  readonly youngCollections: number;
  /** Gives the generation of a loan in the simulated heap. */
  generationOf(loan: Loan): NodeGeneration;
  /** Gives what the simulated heap shows of a loan. */
  evidenceOf(loan: Loan): HeapEvidence;
  /** Takes the stacks of the next loans: the line of a lost loan is unknown. */
  captureNextStacks(): void;
  /** Gives a loan that is still out its node. */
  settle(loan: Loan): void;
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
  origin: CallOrigin;
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
  /** How often young generations of the simulated heap had been collected when it began. */
  readonly youngBefore: number;
  /** Its site; `undefined` until it is settled, and for a loan with neither a stack nor a scope. */
  site: LoanSite | undefined;
  /** How many loans of its site had ended when it was settled. */
  siteFreedBefore: number;
  /** What owns it, if that is no scope. */
  ownerName?: string;
  /** The edges of the unreachable cycle that it was found in. */
  cycle?: readonly string[];
  /** What it stands for, if it is no loan. */
  readonly population?: Members;
  /** Whether its component took it back by force, and its holder may still end it. */
  isReclaimed?: boolean;
  /** Whether its owner has ended first, or had ended when it began. */
  isUnheld: boolean;
  /** Whether V8 has collected its capability. */
  collected: boolean;
  /** Whether it has come back. */
  ended: boolean;
}
