/**
 * What is to be done when an object dies: finalizers, callbacks of weak references, references for a queue.
 *
 * V8 promises no order for the registrations of one target. A target is therefore registered once, with the list of its
 * records. The records run newest first, as Python's weak references do: what was set up last is torn down first.
 *
 * ```
 *   registry ──▶ records of one target ──▶ record ⇄ record ──▶ callback, arguments         ┄┄▶ weak
 *      ┊                                      ┊
 *      └┄┄┄┄┄┄┄┄┄┄┄┄┄┄▶ target ◀┄┄┄┄┄┄┄┄┄┄┄┄┄┄┘
 * ```
 *
 * The registry holds the records, and the target holds none of them. So a caller need not keep its record.
 */
import { DeathRegistry } from './death-registry.js';
import { type Linked, LinkedList } from './linked-list.js';
import { hasTimeLeft, runLater } from './slices.js';

/** The records of one target, the oldest first. */
type Records = LinkedList<DeathRecord>;

const recordsOf = new WeakMap<WeakKey, Records>();

const deaths = new DeathRegistry<Records>(runNewestFirst);

/** Something to do when a target dies. It must not reach the target, or V8 never collects that. */
export abstract class DeathRecord implements Linked<DeathRecord> {
  previous: DeathRecord | null = null;
  next: DeathRecord | null = null;
  #records: Records | undefined = undefined;

  /** Called once, some turns after the target has died, unless {@link unwatch} came first. It must not throw. */
  abstract died(): void;

  /** Waits for the death of `target`. Call it once. O(1). */
  watch(target: WeakKey): void {
    let records = recordsOf.get(target);
    if (records === undefined) {
      records = new LinkedList();
      recordsOf.set(target, records);
      deaths.register(target, records);
    }
    this.#records = records;
    records.append(this);
  }

  /** Stops waiting. Without effect if it does not wait. O(1). */
  unwatch(): void {
    this.#records?.remove(this);
    this.#records = undefined;
  }
}

/** Gives the records that wait for the death of `target`, the newest first. O(records). */
export function recordsFor(target: WeakKey): DeathRecord[] {
  return [...(recordsOf.get(target) ?? [])].reverse();
}

function runNewestFirst(records: Records): void {
  for (let record = records.last; record !== null; record = records.last) {
    if (!hasTimeLeft()) {
      runLater(runNewestFirst, records);
      return;
    }
    record.unwatch();
    record.died();
  }
}
