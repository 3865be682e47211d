/**
 * The sites of one component's loans. A site is the line that took a loan together with the name of its scope. Loans of one site
 * are neighbours: what is usual for some of them is usual for all. Without a stack, the name of the scope alone is the site. A
 * loan with neither has none. Where only some stacks are taken, a scope has one site: its loans would otherwise be no neighbours.
 *
 * If there are too many pairs of a line and a scope, the loans of the others are neighbours by their lines alone.
 */
import { applicationFrame, formatPosition } from '../core/call-site.js';
import type { BaseHeap } from '../gc/base-heap.js';
import type { ClassCounts } from '../gc/memory/census.js';
import type { SiteNames } from './bounded-names.js';
import type { CallOrigin } from './call-origin.js';
import { countsOf, total } from './class-counts.js';
import { HoldTimes } from './hold-times.js';
import type { OpenScope } from './open-scope.js';
import type { ParsedStacks } from './parsed-stacks.js';

/** The kind of loans in the simulated heap. */
export const LEASE = 'lease';

/** How many origins are remembered with their sites. */
const MAX_ORIGINS = 512;

/** One site, and what the heap counts of its loans. */
export class LoanSite {
  /** Its name in the simulated heap. */
  readonly name: string;
  /** How long its returned loans were held. */
  readonly holdTimes: HoldTimes = new HoldTimes();
  /** How long those were out after their scope that counted as lost, and have come back. */
  readonly lateTimes: HoldTimes = new HoldTimes();
  /** Whether one of its loans was late work and has come back. */
  lateWorkReturns = false;
  /** The class of its loans in the simulated heap. */
  readonly classId: number;
  /** The name of the site at which its loans were taken, if another holder has them since. */
  readonly takenAt: string | undefined;
  readonly #heap: BaseHeap;

  constructor(heap: BaseHeap, name: string, takenAt?: string) {
    this.#heap = heap;
    this.name = name;
    this.takenAt = takenAt;
    this.classId = heap.classOf(LEASE, name);
  }

  /** What the heap counts of the loans of the site. O(1). */
  get counts(): ClassCounts {
    return countsOf(this.#heap, this.classId);
  }

  /** How many loans of the site have ended. O(1). */
  get freed(): number {
    return total(this.counts.freed);
  }

  /** Counts a loan that ended before it got a node. */
  recordShortLife(holdMillis: number): void {
    this.#heap.recordShortLife(this.classId);
    this.holdTimes.record(holdMillis);
  }
}

/** The sites of one component. */
export class LoanSites {
  readonly #heap: BaseHeap;
  readonly #names: SiteNames;
  readonly #stacks: ParsedStacks;
  readonly #component: { readonly name: string };
  /** Whether each loan has a stack. */
  readonly hasAllStacks: boolean;
  readonly #byOrigin = new Map<string, LoanSite>();
  readonly #byName = new Map<string, LoanSite>();
  #lastKey = '';
  #last: LoanSite | undefined;

  constructor(
    heap: BaseHeap,
    names: SiteNames,
    stacks: ParsedStacks,
    component: { readonly name: string },
    hasAllStacks: boolean,
  ) {
    this.hasAllStacks = hasAllStacks;
    this.#heap = heap;
    this.#names = names;
    this.#stacks = stacks;
    this.#component = component;
  }

  /** Gives the site of a loan; `undefined` without a stack and a scope. Amortised O(length of the stack). */
  of({ stack: taken, scope }: CallOrigin): LoanSite | undefined {
    if (taken === undefined && scope === undefined) return undefined;
    const stack = this.hasAllStacks || scope === undefined ? taken : undefined;
    const path = scope?.path ?? '';
    const key = stack === undefined ? path : `${path}\n${stack}`;
    if (key !== this.#lastKey || this.#last === undefined) {
      this.#last = this.#byOrigin.get(key) ?? this.#added(key, stack, scope?.path);
      this.#lastKey = key;
    }
    return this.#last;
  }

  /**
   * Gives the site of loans that were taken at a site, and that a scope or the process has since: how long callers keep theirs says
   * nothing of them. O(length of the names).
   */
  handedOver(from: LoanSite | undefined, scope: OpenScope | undefined): LoanSite {
    const takenAt = from?.takenAt ?? from?.name ?? JSON.stringify(this.#component.name);
    const holder = scope === undefined ? 'the process' : this.#names.scopes.of(scope.path);
    const handed = `${JSON.stringify(this.#component.name)}, handed over`;
    return this.#named(`${takenAt}, handed over to ${holder}`, handed, takenAt);
  }

  #added(key: string, stack: string | undefined, scope: string | undefined): LoanSite {
    const line = this.#lineOf(stack);
    const name = scope === undefined ? line : `${line} in ${this.#names.scopes.of(scope)}`;
    const site = this.#named(name, line);
    if (this.#byOrigin.size >= MAX_ORIGINS) this.#byOrigin.clear();
    this.#byOrigin.set(key, site);
    return site;
  }

  /** The component, and the line where it is known. */
  #lineOf(stack: string | undefined): string {
    const frame = applicationFrame(this.#stacks.parse(stack));
    const line = frame === undefined ? '' : formatPosition(frame);
    return `${JSON.stringify(this.#component.name)}${line === '' ? '' : ` ${line}`}`;
  }

  /** Gives the site with a name; the one named `shorter` if there are too many. */
  #named(raw: string, shorter: string, takenAt?: string): LoanSite {
    const name = this.#names.loans.bounded(raw, () => this.#names.code.bounded(shorter));
    let site = this.#byName.get(name);
    if (site === undefined) {
      site = new LoanSite(this.#heap, name, takenAt);
      this.#byName.set(name, site);
    }
    return site;
  }
}
