/**
 * Timers that set the next one, and what they call, belong to no request: the first one would hold the async context of its request for ever.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test } from 'vitest';
import { memoize } from '../src/memoize/index.js';
import { type SharedStore, sharedCache } from '../src/memoize/shared/index.js';
import { ForeignPool } from '../src/node/foreign-pools/foreign-pool.js';
import { createPool } from '../src/pool/index.js';
import { BufferPool } from '../src/view/index.js';
import { Watchdog } from '../src/watchdog/index.js';
import { FakeClock } from './kit/fake-clock.js';
import { settle } from './kit/settle.js';

const requests = new AsyncLocalStorage<string>();

/** Notes in which request each timer is set that may set the next one. */
class NotingClock extends FakeClock {
  readonly requests = new Set<string | undefined>();

  override setTimer(...args: Parameters<FakeClock['setTimer']>) {
    this.requests.add(requests.getStore());
    return super.setTimer(...args);
  }
}

function makePool(clock: FakeClock) {
  return createPool({ create: () => ({}), destroy: () => {} }, { clock, max: 2 });
}

async function ofWatchdog(clock: FakeClock): Promise<void> {
  const pool = makePool(new FakeClock());
  await pool.warmUp(1); // A loan begins in the turn of its request.
  using watchdog = new Watchdog({ clock, level: 'simple' });
  watchdog.watch(pool);
  const seen: unknown[] = [];
  watchdog.on('leak', () => seen.push(requests.getStore()));
  await requests.run('the first request', () => watchdog.scope('job', () => pool.lease()));
  await clock.advance(60_000);
  expect(seen).toEqual([undefined]);
  await pool.close({ force: true, graceMillis: 0 });
}

async function ofForeignPool(clock: FakeClock): Promise<void> {
  const figures = () => ({ borrowed: 1, max: 2, pending: 0 });
  const pool = new ForeignPool({ name: 'db', releaseAdvice: 'give it back', figures }, clock);
  using watchdog = new Watchdog({ clock: new FakeClock() });
  watchdog.watch(pool);
  function acquire(): void {
    const origin = pool.origin(acquire);
    if (origin !== undefined) pool.lent({}, origin);
  }
  requests.run('the first request', acquire);
  await clock.advance(10_000);
}

async function ofSharedCache(clock: FakeClock): Promise<void> {
  const refusing: SharedStore = {
    get: async () => undefined,
    set: async () => false,
    delete: async () => false,
  };
  using cache = memoize(async (id: string) => id, {
    name: 'value',
    onError: () => {},
    shared: sharedCache({ store: refusing, clock }),
  });
  requests.run('the first request', () => cache.delete('a'));
  await settle();
  await clock.advance(10_000);
}

async function ofPool(clock: FakeClock): Promise<void> {
  const pool = makePool(clock);
  await requests.run('the first request', () => pool.use(() => {}));
  await clock.advance(60_000);
  await pool.close();
}

async function ofBufferPool(clock: FakeClock): Promise<void> {
  const pool = new BufferPool({ clock });
  requests.run('the first request', () => pool.lease(1_024).release());
  await clock.advance(60_000);
}

test.each([
  ['a watchdog', ofWatchdog],
  ['the pool of another package', ofForeignPool],
  ['a shared cache', ofSharedCache],
  ['a pool', ofPool],
  ['a buffer pool', ofBufferPool],
])('the timers of %s are set outside of requests', async (_, run) => {
  const clock = new NotingClock();
  await run(clock);
  expect([...clock.requests]).toEqual([undefined]);
});
