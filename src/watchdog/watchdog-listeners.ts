/**
 * Reports the listeners of a watchdog's own events to its heap: each is a node until it is removed. So the rule *growth* sees a program
 * that adds a listener for each request.
 */
import { captureStack } from '../core/call-site.js';
import type { ListenerObserver } from '../core/listener-watch.js';
import type { EntryPoint, NodeId, NodeKind, Origin } from '../core/probe.js';
import { type CallOrigin, NO_ORIGIN } from './call-origin.js';
import type { LifetimeNode } from './lifetime-graph.js';
import type { LoanTracker } from './loan-tracker.js';
import { NodeTable, ROOT } from './node-table.js';
import { PlainSource } from './plain-source.js';

/** The kind and the name of a watchdog in reports about itself. */
const WATCHDOG = 'watchdog';

export class WatchdogListeners implements ListenerObserver {
  readonly root: NodeId = ROOT;
  readonly #tracker: LoanTracker;
  readonly #component = new PlainSource(WATCHDOG, WATCHDOG);
  readonly #table: NodeTable;

  constructor(tracker: LoanTracker) {
    this.#tracker = tracker;
    this.#table = new NodeTable(tracker.outsideScopes);
  }

  origin(entry: EntryPoint): Origin {
    const { stackEvery, stackDepth } = this.#tracker.levelPlan;
    if (stackEvery === 0) return NO_ORIGIN;
    return {
      ...NO_ORIGIN,
      call: entry,
      stack: captureStack(entry, stackDepth),
    } satisfies CallOrigin;
  }

  allocated(kind: NodeKind, _owner: NodeId, origin: Origin = NO_ORIGIN): NodeId {
    const { graph, populations, outsideScopes } = this.#tracker;
    const component = this.#component;
    const population = populations.of({ kind, site: WATCHDOG, isWeak: false, component });
    population.madeBy(origin as CallOrigin);
    return this.#table.add(graph.allocate(population.classId, outsideScopes));
  }

  freed(id: NodeId): void {
    const node = this.#table.node(id) as LifetimeNode;
    this.#table.free(id);
    this.#tracker.graph.removeOwner(node);
  }
}
