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

/** How many nodes of one kind there are. */
interface KindCount {
  /** How many the heap has. */
  live: number;
  /** How many of them have ended. */
  leaving: number;
  /** `undefined` until one is born after the component has told its name. */
  population: Population | undefined;
}

export class NodeClasses {
  readonly #heap: BaseHeap;
  readonly #populations: Populations;
  readonly #component: LoanSource;
  readonly #ids = new Map<NodeKind, number>();
  readonly #counted = new Map<NodeKind, KindCount>();
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
    if (!POPULATIONS.has(kind)) return;
    const counted = this.#countOf(kind);
    counted.live++;
    const site = this.#site;
    if (site === undefined) return;
    if (counted.population === undefined) {
      counted.population = this.#populations.of({
        kind,
        site,
        isWeak: WEAK_KINDS.has(kind),
        component: this.#component,
      });
      counted.population.owners.add(this.#component);
    }
    if (origin?.stack !== undefined) counted.population.madeBy(origin);
  }

  /** Takes note that a node is removed from the heap. `wasLeaving` says that {@link noteLeaving} has counted it. O(1). */
  noteRemoval({ handle }: LifetimeNode, wasLeaving: boolean): void {
    const counted = this.#counted.get(this.#heap.kind(handle));
    if (counted === undefined) return;
    counted.live--;
    if (wasLeaving && counted.leaving > 0) addLeaving(counted, -1);
  }

  /**
   * Takes note that `count` nodes of a kind have ended, which the heap has until their {@link noteRemoval}. Gives how many of them there
   * can be. O(1).
   */
  noteLeaving(kind: NodeKind, count: number): number {
    const counted = this.#counted.get(kind);
    if (counted === undefined) return 0;
    const leaving = Math.min(count, counted.live - counted.leaving);
    addLeaving(counted, leaving);
    return leaving;
  }

  /** Takes note that all nodes have ended. O(1). */
  noteAllLeaving(): void {
    for (const [kind, { population }] of this.#counted) {
      this.noteLeaving(kind, Number.POSITIVE_INFINITY);
      population?.owners.delete(this.#component);
    }
  }

  #countOf(kind: NodeKind): KindCount {
    let counted = this.#counted.get(kind);
    if (counted === undefined) {
      counted = { live: 0, leaving: 0, population: undefined };
      this.#counted.set(kind, counted);
    }
    return counted;
  }
}

function addLeaving(counted: KindCount, change: number): void {
  counted.leaving += change;
  if (counted.population !== undefined) counted.population.leaving += change;
}
