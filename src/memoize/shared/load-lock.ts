/** The cluster lock of one cache, as its loads use it. A lock that fails or gives no answer holds no load up for long. */
import type { ClusterLease, ClusterLock } from '../cluster-lock.js';
import type { SharedLoad } from '../shared-port.js';
import { inTime } from './in-time.js';
import type { KeyNames } from './key-names.js';
import { AbandonedLoadError } from './load-access.js';
import { SharedStoreError } from './shared-store-error.js';
import type { StoreAccess } from './store-access.js';
import type { WaitBudget } from './wait-budget.js';

/** What the lock uses of its shared level. */
export interface LoadLockPort {
  readonly access: StoreAccess;
  readonly names: KeyNames;
  readonly timeoutMillis: number;
  /** Whether the store, where the result of another holder would be, may be asked for a key. */
  readonly mayAsk: (key: string) => boolean;
  readonly report: (error: unknown) => void;
}

/** The lock of one cache. */
export class LoadLock {
  readonly #lock: ClusterLock;
  readonly #port: LoadLockPort;

  constructor(lock: ClusterLock, port: LoadLockPort) {
    this.#lock = lock;
    this.#port = port;
  }

  /** Gets the lock of a key. False if the load goes on without it. */
  async acquire(load: SharedLoad, budget: WaitBudget): Promise<boolean> {
    const { access, names, report } = this.#port;
    const name = names.ofLock(load.key);
    if (budget.left <= 0 || !this.#mayAsk(name, load.key)) return false;
    let isWaiting = false;
    const ask = <T>(request: () => Promise<T>): Promise<T> => {
      if (load.hasEnded) return Promise.reject(new AbandonedLoadError());
      const isAnswerFree = isWaiting; // Another process has the lock: its load takes the time.
      isWaiting = true;
      return budget.spend((millis) => access.askLock(name, request, millis), isAnswerFree);
    };
    try {
      const lease = await this.#lock.acquire(name, { ask });
      if (load.hasEnded) await this.release(lease);
      else load.lease = lease;
      return true;
    } catch (error) {
      report(error);
      return false;
    }
  }

  /** Releases a lock. Rejects if that takes longer than `storeTimeoutMillis`. */
  release(lease: ClusterLease): Promise<void> {
    const { access, timeoutMillis } = this.#port;
    return inTime(access.time, () => lease.release(), timeoutMillis, {
      onLate: () => new SharedStoreError('A lock was not released within `storeTimeoutMillis`.'),
    });
  }

  /** Whether the lock gives answers, and the store, where the result of another holder would be. */
  #mayAsk(name: string, key: string): boolean {
    const { access, mayAsk, timeoutMillis } = this.#port;
    return mayAsk(key) && access.mayLock(name, timeoutMillis);
  }
}
