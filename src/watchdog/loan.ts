/**
 * The record of a loan: of a resource that a component has lent and not got back.
 *
 * A loan is *settled* when it is still out after a while: it gets a node in the simulated heap, and a weak reference to its
 * capability. From then on the record must reach neither the capability nor the resource: V8 could not collect the lease of an
 * abandoned loan.
 */
import type { Linked } from '../core/linked-list.js';
import type { ComponentStats, NodeId } from '../core/probe.js';
import { type Handle, indexOfHandle, makeHandle, tagOfHandle } from '../gc/memory/handle.js';
import type { NodeGeneration } from '../gc/memory/node-generation.js';
import type { CallOrigin } from './call-origin.js';
import type { HeapEvidence } from './heap-evidence.js';
import { ENOUGH_SAMPLES, type HoldTimes } from './hold-times.js';
import type { LifetimeNode } from './lifetime-graph.js';
import type { LoanSite } from './loan-sites.js';
import type { Shortage } from './shortage.js';

/** Live objects of one kind and site. */
export interface Members {
  /** Their kind in the simulated heap. */
  readonly kind: string;
  /** How many live. */
  readonly live: number;
  /** How many have lived, the oldest first. */
  counts(): number[];
  /** The shortest time between two of these counts, in milliseconds. */
  readonly countsEveryMillis: number;
  /** Gives the figures of one of their components; `undefined` once it has been collected. */
  stats(): ComponentStats | undefined;
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
  /** Whether many callers hold what it lends at once. */
  readonly lendsShared: boolean;
  /** Whether it lends as much as is asked for. */
  readonly isUnlimited: boolean;
  /** Whether its watch has ended: nothing more is known of its loans. */
  readonly isClosed: boolean;
  /** Whether V8 may have collected a capability since all loans were looked at. */
  readonly mayBeCollected: boolean;
  /** How long an entry can live, in milliseconds. */
  readonly entryMillis: number;
  /** Whether its entries have a maximum number or weight. */
  readonly isBounded: boolean;
  /** The part of the component, such as the key of a pool by key. */
  readonly partName?: string;
  /** How long its returned loans were held. */
  readonly holdTimes: HoldTimes;
  /** The component's own node, if it has one. */
  readonly node: LifetimeNode | undefined;
  /** Gives the component's figures; `undefined` once it has been collected. */
  stats(): ComponentStats | undefined;
  /** Whether it is exhausted, as the last sweep or check has seen it. */
  readonly shortage: Shortage;
  /** How often young generations of the simulated heap were collected. */
  readonly youngCollections: number;
  /** Gives the generation of a loan in the simulated heap. */
  generationOf(loan: Loan): NodeGeneration;
  /** Gives how long the longest of the returned loans that are a loan's neighbours was held, in milliseconds; 0 for none. */
  longestOf(loan: Loan): number;
  /** Gives how many loans of a loan's site are out, itself included, and those that are not tracked. */
  outAtSite(loan: Loan): number;
  /** Gives what the simulated heap shows of a loan. */
  evidenceOf(loan: Loan): HeapEvidence;
  /** Has the component look whether a loan is still out. True for what is no loan that is out. */
  confirmsOut(loan: Loan): boolean;
  /** Takes the stacks of the next loans: the line of a lost loan is unknown. */
  captureNextStacks(): void;
  /** Gives a loan that is still out its node. */
  settle(loan: Loan): void;
  /** The scope of a settled loan has another name. */
  scopeRenamed(loan: Loan): void;
  /** Tells the component that no code can end the loan any more. */
  abandoned(loan: Loan): void;
}

/** What few loans have. */
interface LoanDetails {
  /** Until when the holder means to keep it, on the watchdog's clock; 0 if the holder has not said so. */
  expectedUntil: number;
  /** What the holder last did with it, and when. */
  lastTouch: LastTouch | undefined;
  /** What owns it, if that is no scope. */
  ownerName: string | undefined;
  /** The names of the nodes of the unreachable cycle that it was found in. */
  cycle: readonly string[] | undefined;
  /** What it stands for, if it is no loan. */
  population: Members | undefined;
}

/** What the holder of a loan last did with it, and when, on the watchdog's clock. */
export interface LastTouch {
  readonly hint: string;
  readonly at: number;
  /** The longest time between two touches, or before the first one, in milliseconds. */
  readonly longestGapMillis: number;
}

/**
 * A loan, from the moment in which it was lent. Once it is settled it is also its own node of the graph: a record for each of
 * the two would take half as much memory again.
 */
export class Loan implements LifetimeNode, Linked<Loan> {
  readonly component: LoanSource;
  /** The id under which the component reports the loan. */
  readonly id: NodeId;
  /** The node of the lent resource. */
  readonly held: LifetimeNode | undefined;
  origin: CallOrigin;
  /** When it began, on the watchdog's clock, in whole milliseconds. */
  readonly lentAt: number;
  /** How many loans of its component had come back when it began. */
  readonly returnsBefore: number;
  /** Its site; `undefined` until it is settled, and for a loan with neither a stack nor a scope. */
  site: LoanSite | undefined = undefined;
  /** How many loans of its site had ended when it began, as far as is known. */
  siteFreedBefore = 0;
  /** Its neighbours in the list of unsettled loans, or in that of settled ones. */
  previous: Loan | null = null;
  next: Loan | null = null;
  /** The two halves of {@link handle}. A handle as one field would take an object of its own, since it has more than 32 bits. */
  #slot = 0;
  #tag = 0;
  owner: LifetimeNode | null = null;
  ownerEdge = -1;
  /**
   * The object that ends the loan: itself while the loan is unsettled, weakly afterwards; `undefined` if there is none, or once
   * the loan has ended.
   */
  #capability: WeakKey | WeakRef<WeakKey> | undefined;
  #flags: number;

  constructor(
    component: LoanSource,
    id: NodeId,
    held: LifetimeNode | undefined,
    origin: CallOrigin,
    lentAt: number,
    capability: WeakKey | undefined,
  ) {
    this.component = component;
    this.id = id;
    this.held = held;
    this.origin = origin;
    this.lentAt = lentAt;
    this.returnsBefore = component.holdTimes.count;
    this.#capability = capability;
    const young = (component.youngCollections & YOUNG_MASK) << YOUNG_SHIFT;
    this.#flags = young | earlyIn(origin) | (capability === undefined ? 0 : HAS_CAPABILITY);
  }

  /** Has another holder than its caller from now on. */
  handOver(origin: CallOrigin): void {
    this.origin = origin;
    this.isUnheld = false;
    const details = knownDetails(this);
    if (details !== undefined) details.cycle = undefined;
    this.#flags = (this.#flags & ~EARLY_IN_SCOPE) | earlyIn(origin);
  }

  /** Its handle in the simulated heap; 0 until it is settled. */
  get handle(): Handle {
    return makeHandle(this.#slot, this.#tag);
  }

  set handle(handle: Handle) {
    this.#slot = indexOfHandle(handle);
    this.#tag = tagOfHandle(handle);
  }

  /** How often young generations of the simulated heap were collected since it began; correct up to 2^23. */
  get youngCollections(): number {
    const before = (this.#flags >>> YOUNG_SHIFT) & YOUNG_MASK;
    return (this.component.youngCollections - before) & YOUNG_MASK;
  }

  /** Its node in the graph; `null` until it is settled. */
  get node(): LifetimeNode | null {
    return this.#tag === NO_TAG ? null : this;
  }

  /** Whether an object of its own ends the loan, as a lease does. Without one, the holder gives the resource to the component. */
  get hasCapability(): boolean {
    return (this.#flags & HAS_CAPABILITY) !== 0;
  }

  /** Whether too few loans of its scope had come back when it began for the scope to be a loop over such loans. */
  get isEarlyInScope(): boolean {
    return (this.#flags & EARLY_IN_SCOPE) !== 0;
  }

  /** Whether it was handed over to the process. */
  get isOfProcess(): boolean {
    return this.origin.isHandedOver === true && this.origin.scope === undefined;
  }

  /** Whether its owner has ended first, or had ended when it began. */
  get isUnheld(): boolean {
    return (this.#flags & UNHELD) !== 0;
  }

  set isUnheld(isUnheld: boolean) {
    this.#flags = isUnheld ? this.#flags | UNHELD : this.#flags & ~UNHELD;
  }

  /**
   * Since when it is out without the scope that owned it, on the watchdog's clock; `undefined` if no scope owned it, or the scope is
   * running.
   */
  get lateSince(): number | undefined {
    const { scope, owner } = this.origin;
    if (owner !== undefined || scope === undefined || !scope.ended) return undefined;
    return Math.max(scope.endedAt, this.lentAt);
  }

  /**
   * Whether it was asked for after the scope had ended in whose flow it was. Work goes on there: that of the scope, or of other scopes, such
   * as the next job of a queue.
   */
  get isLateWork(): boolean {
    const { scope, owner } = this.origin;
    if (scope === undefined || owner !== undefined || !scope.ended) return false;
    const { endedAt, activeAt } = scope;
    return this.lentAt > endedAt && activeAt > endedAt; // A loan that is only granted later has not made the scope active.
  }

  /** Whether it has come back. */
  get ended(): boolean {
    return (this.#flags & ENDED) !== 0;
  }

  /**
   * Whether V8 has collected its capability. False at a level that does not ask V8, and while the component says that V8 has collected
   * none.
   */
  get collected(): boolean {
    if ((this.#flags & COLLECTED) !== 0) return true;
    if ((this.#flags & WEAK) === 0 || !this.component.mayBeCollected) return false;
    if ((this.#capability as WeakRef<WeakKey>).deref() !== undefined) return false;
    this.#flags |= COLLECTED;
    return true;
  }

  /** Whether its component took it back by force, and its holder may still end it. */
  get isReclaimed(): boolean {
    return (this.#flags & RECLAIMED) !== 0;
  }

  /** Until when the holder means to keep it, on the watchdog's clock; 0 if the holder has not said so. */
  get expectedUntil(): number {
    return knownDetails(this)?.expectedUntil ?? 0;
  }

  set expectedUntil(expectedUntil: number) {
    ownDetails(this).expectedUntil = expectedUntil;
  }

  /** What the holder last did with it, and when. */
  get lastTouch(): LastTouch | undefined {
    return knownDetails(this)?.lastTouch;
  }

  set lastTouch(lastTouch: LastTouch | undefined) {
    ownDetails(this).lastTouch = lastTouch;
  }

  /** What owns it, if that is no scope. */
  get ownerName(): string | undefined {
    return knownDetails(this)?.ownerName;
  }

  set ownerName(ownerName: string | undefined) {
    if (ownerName !== undefined || knownDetails(this) !== undefined) {
      ownDetails(this).ownerName = ownerName;
    }
  }

  /** The names of the nodes of the unreachable cycle that it was found in. */
  get cycle(): readonly string[] | undefined {
    return knownDetails(this)?.cycle;
  }

  set cycle(cycle: readonly string[]) {
    ownDetails(this).cycle = cycle;
  }

  /** What it stands for, if it is no loan. */
  get population(): Members | undefined {
    return knownDetails(this)?.population;
  }

  set population(population: Members) {
    ownDetails(this).population = population;
  }

  /** Keeps the capability no longer. {@link collected} tells of its death if `asksV8`. Without effect after the end. */
  releaseCapability(asksV8: boolean): void {
    if ((this.#flags & WEAK) !== 0) return;
    const capability = this.#capability;
    this.#capability = undefined;
    if (capability === undefined || !asksV8) return;
    this.#capability = new WeakRef(capability);
    this.#flags |= WEAK;
  }

  /** Marks the loan as ended, or a reclaimed one as ended by its holder. */
  end(): void {
    this.#flags = (this.#flags | ENDED) & ~(WEAK | RECLAIMED);
    this.#capability = undefined;
  }

  /** Marks the loan as ended by force. {@link collected} goes on to tell of the death of its capability if `asksV8`. */
  reclaim(asksV8: boolean): void {
    this.releaseCapability(asksV8);
    this.#flags |= ENDED | RECLAIMED;
  }

  /** @internal Whether {@link detailsOf} has an entry. */
  get hasDetails(): boolean {
    return (this.#flags & HAS_DETAILS) !== 0;
  }

  /** @internal */
  setHasDetails(): void {
    this.#flags |= HAS_DETAILS;
  }
}

// ── Flags of a loan: one field for all, since each field takes 8 bytes ──

const HAS_CAPABILITY = 0b1;
const UNHELD = 0b10;
const ENDED = 0b100;
const COLLECTED = 0b1000;
/** Set while the capability is held by a WeakRef. */
const WEAK = 0b10000;
const HAS_DETAILS = 0b100000;
const RECLAIMED = 0b1000000;
const EARLY_IN_SCOPE = 0b10000000;
/** The bits above have {@link Loan.youngCollections} at the start of the loan. */
const YOUNG_SHIFT = 8;
const YOUNG_MASK = 2 ** 23 - 1;

function earlyIn({ scope }: CallOrigin): number {
  return (scope?.returned ?? 0) < ENOUGH_SAMPLES ? EARLY_IN_SCOPE : 0;
}

/** The details of the loans that have some. */
const detailsOf = new WeakMap<Loan, LoanDetails>();

// Functions, since a class with private methods gives each instance one more field.

function knownDetails(loan: Loan): LoanDetails | undefined {
  return loan.hasDetails ? detailsOf.get(loan) : undefined;
}

function ownDetails(loan: Loan): LoanDetails {
  let details = detailsOf.get(loan);
  if (details === undefined) {
    details = {
      expectedUntil: 0,
      lastTouch: undefined,
      ownerName: undefined,
      cycle: undefined,
      population: undefined,
    };
    detailsOf.set(loan, details);
    loan.setHasDetails();
  }
  return details;
}

/** The tag of a loan without a node. No heap gives it. */
const NO_TAG = 0;
