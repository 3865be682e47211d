/** Traces what a component hands out, by the probe (`core/probe.ts`). Edges between nodes are of no interest here. */
import { ObserverGroup } from '../../core/observer-group.js';
import type {
  EntryPoint,
  NodeId,
  NodeKind,
  Observation,
  Observer,
  Origin,
  SharedObservers,
} from '../../core/probe.js';
import type { TraceFrame } from './trace.js';
import type { LiveTrace, Traces } from './traces.js';

const ROOT: NodeId = 0;

/** Bytes that a node of each kind stands for. */
export type BytesByKind = Readonly<Record<string, number>>;

export class ComponentTracer implements Observer {
  readonly root: NodeId = ROOT;
  /** A tracer knows no owners. */
  readonly isAlone = true;
  readonly #traces: Traces;
  readonly #bytes: BytesByKind;
  readonly #live = new Map<NodeId, LiveTrace>();
  #observation: WeakRef<Observation> | undefined;
  #label = 'component';
  #nextId: NodeId = ROOT + 1;
  #hasEnded = false;

  constructor(traces: Traces, bytes: BytesByKind) {
    this.#traces = traces;
    this.#bytes = bytes;
  }

  /** Takes note of the component's answer. Holds it weakly. */
  attached(observation: Observation): void {
    this.#observation = new WeakRef(observation);
    this.#label = `${observation.kind} ${JSON.stringify(observation.name)}`;
  }

  newGroup(): SharedObservers {
    return new ObserverGroup();
  }

  origin(entry: EntryPoint): Origin {
    return this.#traces.isTracing ? this.#traces.tracebackOf(entry) : [];
  }

  allocated(kind: NodeKind, _owner: NodeId): NodeId {
    const isTraced = this.#traces.isTracing;
    return this.#add(kind, isTraced ? this.#traces.tracebackOf(this.allocated) : []);
  }

  lent(_held: NodeId, origin: Origin): NodeId {
    return this.#add('lease', origin as readonly TraceFrame[]);
  }

  freed(node: NodeId): void {
    const trace = this.#live.get(node);
    if (trace === undefined) return;
    this.#live.delete(node);
    this.#traces.remove(trace);
  }

  referenced(): void {}

  dropped(): void {}

  touched(): void {}

  expected(): void {}

  /** Ends the watch, and all traces of the component. */
  close(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#observation?.deref()?.[Symbol.dispose]();
    for (const trace of this.#live.values()) this.#traces.remove(trace);
    this.#live.clear();
  }

  #add(kind: string, traceback: readonly TraceFrame[]): NodeId {
    const id = this.#nextId++;
    if (this.#hasEnded || !this.#traces.isTracing) return id;
    const size = this.#bytes[kind] ?? 0;
    this.#live.set(id, this.#traces.add(`${this.#label} ${kind}`, size, traceback));
    return id;
  }
}
