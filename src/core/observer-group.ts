/**
 * Several observers of one component: a watchdog, and tracers beside it. A component keeps one id for each node. So the group gives
 * ids of its own, and maps them to the id by which each observer knows the node.
 *
 * ```
 *   component ──own id──▶ group ──▶ main: every report, by its id
 *                           └─────▶ others: which nodes begin and end, by their ids
 * ```
 *
 * The observer that was there first has given the ids of earlier nodes itself. The group's own ids lie where no observer's do.
 */
import { GuardedObserver } from './guarded-observer.js';
import {
  type EntryPoint,
  type Holder,
  type KnownCaller,
  type Misuse,
  type NodeId,
  type NodeKind,
  type Observer,
  type Origin,
  type SharedObservers,
  sharesComponent,
} from './probe.js';

/** The first id of a group. Later ones are lower. */
const FIRST_ID: NodeId = -(2 ** 30);

/** One observer of the group. */
interface Member {
  readonly attached: Observer;
  readonly guarded: GuardedObserver;
  /** Whether it has given the ids of the nodes from before the group. */
  readonly knowsNodes: boolean;
  /** Its ids, by those of the group. */
  readonly ids: Map<NodeId, NodeId>;
}

/** The callers that the observers have captured. */
class GroupOrigin {
  readonly #origins = new Map<Member, Origin>();

  constructor(members: readonly Member[], entry: EntryPoint) {
    for (const member of members) this.#origins.set(member, member.guarded.origin(entry));
  }

  /** Gives what an observer has captured; `undefined` if it came later. */
  of(member: Member): Origin | undefined {
    return this.#origins.get(member);
  }
}

/** One iteration that several observers go over, each at its own pace. */
class SharedIteration<T> implements Iterable<T> {
  readonly #rest: Iterator<T>;
  readonly #seen: T[] = [];

  constructor(items: Iterable<T>) {
    this.#rest = items[Symbol.iterator]();
  }

  *[Symbol.iterator](): Generator<T, undefined> {
    for (let i = 0; ; i++) {
      if (i === this.#seen.length) {
        const next = this.#rest.next();
        if (next.done === true) return undefined;
        this.#seen.push(next.value);
      }
      yield this.#seen[i] as T;
    }
  }
}

export class ObserverGroup implements SharedObservers {
  #members: readonly Member[] = [];
  #main: Member | undefined = undefined;
  #root: NodeId | undefined = undefined;
  #nextId: NodeId = FIRST_ID;

  /** The root of the first observer, by which the component knows itself. */
  get root(): NodeId {
    return this.#root as NodeId;
  }

  get main(): Observer | undefined {
    return this.#main?.attached;
  }

  get countsMisuse(): boolean {
    return this.#main?.guarded.countsMisuse === true;
  }

  /** Only the main observer knows owners. */
  get isAlone(): boolean {
    return this.#main === undefined || this.#main.guarded.isAlone;
  }

  add(observer: Observer, knowsNodes: boolean): void {
    const guarded = new GuardedObserver(observer, 'a component that observers share');
    const member: Member = { attached: observer, guarded, knowsNodes, ids: new Map() };
    this.#root ??= observer.root;
    this.#members = [...this.#members, member];
    if (!sharesComponent(observer)) this.#main = member;
  }

  remove(observer: Observer): void {
    this.#members = this.#members.filter(({ attached }) => attached !== observer);
    if (this.#main?.attached === observer) this.#main = undefined;
  }

  present(observer: Observer, node: NodeId, kind: NodeKind): NodeId {
    const member = this.#members.find(({ attached }) => attached === observer);
    if (member !== undefined && this.#idOf(member, node) === undefined) {
      member.ids.set(node, member.guarded.allocated(kind, member.guarded.root));
    }
    return node;
  }

  idOf(observer: Observer, node: NodeId): NodeId | undefined {
    const member = this.#members.find(({ attached }) => attached === observer);
    return member && this.#idOf(member, node);
  }

  nodeOf(observer: Observer, id: NodeId): NodeId | undefined {
    const member = this.#members.find(({ attached }) => attached === observer);
    for (const [node, own] of member?.ids ?? []) if (own === id) return node;
    return member?.knowsNodes === true ? id : undefined;
  }

  origin(entry: EntryPoint): Origin {
    return new GroupOrigin(this.#members, entry);
  }

  allocated(kind: NodeKind, owner: NodeId, origin?: Origin): NodeId {
    const node = this.#nextId--;
    for (const member of this.#members) {
      const holder = this.#idOf(member, owner) ?? member.guarded.root;
      const own = origin === undefined ? undefined : originFor(member, origin);
      member.ids.set(node, member.guarded.allocated(kind, holder, own));
    }
    return node;
  }

  lent(held: NodeId, origin: Origin, capability?: WeakKey): NodeId {
    const loan = this.#nextId--;
    for (const member of this.#members) {
      const own = originFor(member, origin);
      if (own === undefined) continue; // The observer came after the caller.
      const resource = this.#idOf(member, held) ?? this.#introduced(member, held);
      member.ids.set(loan, member.guarded.lent(resource, own, capability));
    }
    return loan;
  }

  freed(node: NodeId, reclaimed?: boolean): void {
    for (const member of this.#members) {
      const id = this.#idOf(member, node);
      if (id === undefined) continue;
      // The holder of a loan that was taken back by force may still end it.
      if (reclaimed !== true) member.ids.delete(node);
      member.guarded.freed(id, reclaimed);
    }
  }

  freedMany(kind: NodeKind, nodes: Iterable<NodeId>, count: number): void {
    const shared = new SharedIteration(nodes);
    for (const member of this.#members) {
      member.guarded.freedMany(kind, this.#taken(member, shared), count);
    }
  }

  *#taken(member: Member, nodes: Iterable<NodeId>): Generator<NodeId, undefined> {
    for (const node of nodes) {
      const id = this.#idOf(member, node);
      if (id === undefined) continue;
      member.ids.delete(node);
      yield id;
    }
    return undefined;
  }

  made(node: NodeId): void {
    this.#tellMain((main, id) => main.made(id), node);
  }

  ending(node: NodeId): void {
    this.#tellMain((main, id) => main.ending(id), node);
  }

  referenced(from: NodeId, to: NodeId): void {
    this.#tellMain((main, holder, held) => main.referenced(holder, held), from, to);
  }

  dropped(from: NodeId, to: NodeId): void {
    this.#tellMain((main, holder, held) => main.dropped(holder, held), from, to);
  }

  touched(node: NodeId, hint?: string): void {
    this.#tellMain((main, id) => main.touched(id, hint), node);
  }

  expected(node: NodeId, millis: number): void {
    this.#tellMain((main, id) => main.expected(id, millis), node);
  }

  misused(misuse: Misuse): void {
    for (const { guarded } of this.#members) guarded.misused(misuse);
  }

  takenDirectly(held: NodeId): NodeId {
    const loan = this.#nextId--;
    this.#tellMain((main, id) => this.#main?.ids.set(loan, main.takenDirectly(id)), held);
    return loan;
  }

  givenBackDirectly(loan: NodeId): void {
    for (const member of this.#members) {
      const id = this.#idOf(member, loan);
      if (id === undefined) continue;
      member.ids.delete(loan);
      member.guarded.givenBackDirectly(id);
    }
  }

  lasted(
    loan: NodeId | undefined,
    held: NodeId,
    millis: number,
    caller?: KnownCaller,
  ): NodeId | undefined {
    const main = this.#main;
    const resource = main && this.#idOf(main, held);
    if (main === undefined || resource === undefined) return loan;
    const known = loan === undefined ? undefined : this.#idOf(main, loan);
    const own = main.guarded.lasted(known, resource, millis, caller);
    if (own === undefined) return loan;
    const node = loan ?? this.#nextId--;
    main.ids.set(node, own);
    return node;
  }

  transferred(node: NodeId, to: Holder): void {
    const holder = to instanceof GroupOrigin ? this.#main && to.of(this.#main) : to;
    if (holder === undefined) return;
    this.#tellMain((main, id) => main.transferred(id, holder), node);
  }

  #tellMain(
    tell: (main: GuardedObserver, first: NodeId, second: NodeId) => void,
    first: NodeId,
    second: NodeId = first,
  ): void {
    const main = this.#main;
    if (main === undefined) return;
    const [a, b] = [this.#idOf(main, first), this.#idOf(main, second)];
    if (a !== undefined && b !== undefined) tell(main.guarded, a, b);
  }

  /** Reports a resource that the component could not name when the observer came. */
  #introduced(member: Member, held: NodeId): NodeId {
    const id = member.guarded.allocated('resource', member.guarded.root);
    member.ids.set(held, id);
    return id;
  }

  #idOf({ guarded, ids, knowsNodes }: Member, node: NodeId): NodeId | undefined {
    if (node === this.#root) return guarded.root;
    return ids.get(node) ?? (knowsNodes && node > FIRST_ID ? node : undefined);
  }
}

/** Gives what an observer has captured of a caller. The first one may have done so before there was a group. */
function originFor(member: Member, origin: Origin): Origin | undefined {
  if (origin instanceof GroupOrigin) return origin.of(member);
  return member.knowsNodes ? origin : undefined;
}
