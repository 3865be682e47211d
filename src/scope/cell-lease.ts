/** Leases on the values of a shared cell. */
/// <reference lib="esnext.disposable" preserve="true" />
import { checkArgument, millis } from '../core/options.js';
import { type Holder, handOver, type NodeId, type Origin } from '../core/probe.js';
import type { SharedInstance } from './shared-instance.js';
import type { SharedLease } from './shared-lease.js';
import type { ValueWatch } from './value-watch.js';

/** A caller of a watched component. */
export interface Caller {
  readonly watch: ValueWatch;
  readonly origin: Origin;
}

/** The cell of a value, as its leases see it. */
export interface LeasedCell<T> {
  /** The watch over the component, if there is one. */
  readonly watch: ValueWatch | null;
  /** Notes that a lease was released, whose node is `node`. */
  released(instance: SharedInstance<T>, node: NodeId | undefined): void;
  /** Waits for the end of an instance. Rejects with what the disposal throws. */
  untilEnded(instance: SharedInstance<T>): Promise<void>;
}

/** What is known of one lease. Each way to end the lease captures it, so V8 collects it when no code can end the lease any more. */
interface LeaseToken {
  isReleased: boolean;
  /** Settles when the disposal is over that the release has begun, if it has. */
  ending: Promise<void> | undefined;
}

/** Gives a lease on the value of an instance to `caller`, which counts among the holds of the instance already. */
export function leaseOn<T>(
  instance: SharedInstance<T>,
  cell: LeasedCell<T>,
  caller: Caller | undefined,
): SharedLease<T> {
  const token: LeaseToken = { isReleased: false, ending: undefined };
  // A later watch knows neither the caller nor the loan: it gives its own ids.
  const watch = (): ValueWatch | undefined =>
    caller?.watch === cell.watch ? caller?.watch : undefined;
  const node = caller && watch()?.lent(instance, caller.origin, token);
  const currentNode = (): NodeId | undefined => (watch() === undefined ? undefined : node);
  const release = (): Promise<void> | undefined => {
    if (token.isReleased) return token.ending;
    token.isReleased = true;
    cell.released(instance, currentNode());
    if (instance.phase === 'disposing') token.ending = instance.ended.catch(() => {});
    return token.ending;
  };
  /** Tells the watch of the loan, while it lasts. */
  const tell = (report: (to: ValueWatch, loan: NodeId) => void): void => {
    const to = watch();
    if (to !== undefined && node !== undefined && !token.isReleased) report(to, node);
  };
  return {
    value: instance.value as T,
    [handOver]: (holder: Holder) => tell((to, loan) => to.transferred(loan, holder)),
    expectHold(holdMillis) {
      checkArgument('expectHold', 'holdMillis', holdMillis, millis);
      tell((to, loan) => to.expected(loan, holdMillis));
    },
    release,
    [Symbol.dispose]: () => void release(),
    [Symbol.asyncDispose]: async () => {
      const wasReleased = token.isReleased;
      const ending = release();
      await (ending === undefined || wasReleased ? ending : cell.untilEnded(instance));
    },
  };
}
