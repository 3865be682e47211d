/**
 * The classes of one component's nodes in the simulated heap, by kind. The nodes of some kinds are also a population, which the rule
 * *growth* looks at.
 */
import type { NodeKind } from '../core/probe.js';
import type { BaseHeap } from '../gc/base-heap.js';
import type { CallOrigin } from './call-origin.js';
import type { LifetimeNode } from './lifetime-graph.js';
import type { LoanSource } from './loan.js';
import type { Population, Populations } from './populations.js';

/** The kinds of nodes whose number is looked at. */
const POPULATIONS: ReadonlySet<NodeKind> = new Set([
  'entry',
  'weak-entry',
  'weak-target',
  'listener',
]);

/** The kinds of nodes whose death V8 decides on. */
const WEAK_KINDS: ReadonlySet<NodeKind> = new Set(['weak-entry', 'weak-target']);

/** The site of nodes that are born before the component has told its name. */
const UNNAMED = 'new';

export class NodeClasses {
  readonly #heap: BaseHeap;
  readonly #populations: Populations;
  readonly #component: LoanSource;
  readonly #ids = new Map<NodeKind, number>();
  readonly #counted = new Map<NodeKind, Population>();
  #site: string | undefined;

  constructor(heap: BaseHeap, populations: Populations, component: LoanSource) {
    this.#heap = heap;
    this.#populations = populations;
    this.#component = component;
  }

  /** The component's name, as a site of the simulated heap. */
  get site(): string {
    return this.#site ?? UNNAMED;
  }

  /** The component has told its name. `nodes` were born before. O(nodes). */
  named(site: string, nodes: Iterable<LifetimeNode>): void {
    this.#site = site;
    this.#ids.clear();
    for (const { handle } of nodes) {
      this.#heap.reclassifyAs(handle, this.of(this.#heap.kind(handle) as NodeKind));
    }
  }

  /** Gives the class of the nodes of a kind. O(1). */
  of(kind: NodeKind): number {
    let classId = this.#ids.get(kind);
    if (classId === undefined) {
      classId = this.#heap.classOf(kind, this.site);
      this.#ids.set(kind, classId);
    }
    return classId;
  }

  /** Takes note of a birth. `origin` is the caller that has made the node. O(1). */
  noteBirth(kind: NodeKind, origin: CallOrigin | undefined): void {
    const site = this.#site;
    if (site === undefined || !POPULATIONS.has(kind)) return;
    let population = this.#counted.get(kind);
    if (population === undefined) {
      const isWeak = WEAK_KINDS.has(kind);
      const component = this.#component;
      population = this.#populations.of({ kind, site, isWeak, component });
      this.#counted.set(kind, population);
    }
    if (origin?.stack !== undefined) population.madeBy(origin);
  }
}
