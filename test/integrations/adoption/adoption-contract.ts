/** What every adopted pool guarantees. Each peer runs these tests, with a real server if it needs one. */
import { describe, expect, test, vi } from 'vitest';
import type { AdoptOptions } from '../../../src/integrations/adoption/adopt-options.js';
import type { AdoptedPool } from '../../../src/integrations/adoption/adopted-pool.js';
import { watchForeignPools } from '../../../src/node/index.js';
import { observe } from '../../../src/pool/index.js';
import { formatReport, type LeakReport, Watchdog } from '../../../src/watchdog/index.js';
import { codeOf } from '../../kit/code-of.js';
import { FakeClock } from '../../kit/fake-clock.js';
import { Gate } from '../../kit/gate.js';
import { lineOf } from '../../kit/line-of.js';
import { RecordingObserver } from '../../kit/recording-observer.js';
import { settle } from '../../kit/settle.js';
import { until } from '../../kit/until.js';
import { untilCollected } from '../../kit/until-collected.js';

/** A peer under test. */
export interface AdoptedPeer<T> {
  readonly pool: AdoptedPool<T>;
  /** Takes a resource from the peer directly, as its other users do. */
  take(): Promise<T>;
  give(resource: T): unknown;
  /** Throws unless the resource still works. */
  work(resource: T): Promise<unknown>;
  /** The identity of a resource. */
  identify(resource: T): unknown;
  /** Whether the peer has ended. */
  isEnded(): Promise<boolean>;
}

export type MakePeer<T> = (max: number, options: AdoptOptions) => AdoptedPeer<T>;

export function keepsTheContract<T>(make: MakePeer<T>): void {
  function setUp(max = 1, options: AdoptOptions = {}) {
    const clock = new FakeClock();
    const peer = make(max, { name: 'db', clock, ...options });
    return {
      ...peer,
      clock,
      async [Symbol.asyncDispose](): Promise<void> {
        const { borrowed, pending } = peer.pool.stats();
        await peer.pool.close({ graceMillis: 0, force: true, endPeer: true });
        expect({ borrowed, pending }, 'nothing is lost').toEqual({ borrowed: 0, pending: 0 });
        expect(clock.pendingTimers, 'no timer is left').toBe(0);
      },
    };
  }

  describe('lending', () => {
    test('a lease ends with its block, and the resource is back with the peer', async () => {
      await using t = setUp();
      let known: unknown;
      {
        await using lease = await t.pool.lease();
        await t.work(lease.resource);
        known = t.identify(lease.resource);
        expect(t.pool.stats()).toMatchObject({ size: 1, borrowed: 1, available: 0, max: 1 });
      }
      expect(t.pool.stats()).toMatchObject({ size: 1, borrowed: 0, available: 1, loans: 1 });
      using again = await t.pool.lease();
      expect(t.identify(again.resource)).toBe(known);
    });

    test('a lease ends once: a later call fails with a code for its mistake', async () => {
      await using t = setUp();
      const released = await t.pool.lease();
      released.release();
      expect(() => released.release()).toThrow(withCode('TENURE_POOL_DOUBLE_RELEASE'));
      expect(() => released.resource).toThrow(withCode('TENURE_POOL_LEASE_ENDED'));
      released[Symbol.dispose]();
      const destroyed = await t.pool.lease();
      await destroyed.destroy();
      expect(() => destroyed.release()).toThrow(withCode('TENURE_POOL_RELEASE_AFTER_DESTROY'));
    });

    test('use() gives the resource back, also when the function fails, and the peer keeps it', async () => {
      await using t = setUp();
      const known = await t.pool.use((resource) => t.identify(resource));
      const failing = t.pool.use(() => Promise.reject(new Error('no such order')));
      await expect(failing).rejects.toThrow('no such order');
      expect(await t.pool.use((resource) => t.identify(resource))).toBe(known);
    });

    test('a destroyed resource is not lent again, and its place is free', async () => {
      await using t = setUp();
      const lease = await t.pool.lease();
      const first = t.identify(lease.resource);
      await lease.destroy('broken');
      const second = await t.pool.use((resource, context) => {
        context.discard();
        return t.identify(resource);
      });
      await using third = await t.pool.lease();
      await t.work(third.resource);
      expect(new Set([first, second, t.identify(third.resource)]).size).toBe(3);
      await until(() => t.pool.stats().destroyed === 2); // Its place is free before it has left the server.
      expect(t.pool.stats()).toMatchObject({
        size: 1,
        destroyed: 2,
        destroyedBy: { broken: 1, discarded: 1 },
      });
    });

    test('a destroyed resource is replaced for a waiter', async () => {
      await using t = setUp();
      const lease = await t.pool.lease();
      const first = t.identify(lease.resource);
      const waiting = t.pool.lease();
      await lease.destroy();
      await using next = await waiting;
      expect(t.identify(next.resource)).not.toBe(first);
      await t.work(next.resource);
    });

    test('a detached resource belongs to its holder, which gives it back to the peer', async () => {
      await using t = setUp();
      const lease = await t.pool.lease();
      const resource = lease.detach();
      expect(() => lease.release()).toThrow(withCode('TENURE_POOL_RELEASE_AFTER_DETACH'));
      expect(t.pool.loans()).toEqual([]);
      expect(t.pool.stats()).toMatchObject({ borrowed: 1, detached: 1 });
      await t.give(resource);
    });

    test('a resource that was given back without its lease is not taken from its next holder', async () => {
      await using t = setUp();
      const stale = await t.pool.lease();
      await t.give(stale.resource);
      await using holder = await t.pool.lease();
      expect(() => stale.release()).toThrow(withCode('TENURE_POOL_DOUBLE_RELEASE'));
      expect(t.pool.stats().borrowed).toBe(1);
      expect(t.pool.loans()).toHaveLength(1);
      await t.work(holder.resource);
    });

    test('a resource that was given back without its lease twice is not taken from its third holder', async () => {
      await using t = setUp();
      const first = await t.pool.lease();
      await t.give(first.resource);
      const second = await t.pool.lease();
      expect(() => first.release()).toThrow(withCode('TENURE_POOL_DOUBLE_RELEASE'));
      await t.give(second.resource);
      await using third = await t.pool.lease();
      expect(() => second.release()).toThrow(withCode('TENURE_POOL_DOUBLE_RELEASE'));
      expect(t.pool.stats().borrowed).toBe(1);
      await t.work(third.resource);
    });

    test('a resource that was given back without its lease is not destroyed under its next holder', async () => {
      const complained = vi.spyOn(console, 'error').mockImplementation(() => {});
      try {
        await using t = setUp();
        const stale = await t.pool.lease();
        await t.give(stale.resource);
        await using holder = await t.pool.lease();
        await stale.destroy();
        expect(complained).toHaveBeenCalledOnce();
        expect(t.pool.stats()).toMatchObject({ size: 1, borrowed: 1, destroyed: 0 });
        await t.work(holder.resource);
      } finally {
        complained.mockRestore();
      }
    });

    test('a resource that was given back without its lease is not taken from a holder that gets it during the reset', async () => {
      const complained = vi.spyOn(console, 'error').mockImplementation(() => {});
      try {
        const gate = new Gate();
        const resets = [() => gate.passed];
        await using t = setUp(1, { reset: () => resets.shift()?.() });
        const stale = await t.pool.lease();
        const { resource } = stale;
        const end = stale.release();
        await t.give(resource);
        const holder = await t.pool.lease();
        const waiter = t.pool.lease();
        gate.open();
        await end;
        await settle();
        expect(complained).toHaveBeenCalledOnce();
        expect(t.pool.loans()).toHaveLength(1);
        await t.work(holder.resource);
        await holder.release();
        await (await waiter).release();
      } finally {
        complained.mockRestore();
      }
    });

    test.each(['the peer has it', 'another user of the peer has it'])(
      'a resource that was given back without its lease is not reset: %s',
      async (who) => {
        const reset = vi.fn();
        await using t = setUp(1, { reset });
        const stale = await t.pool.lease();
        await untilTheNextMillisecond();
        await t.give(stale.resource);
        const taken = who === 'the peer has it' ? undefined : await t.take();
        expect(() => stale.release()).toThrow(withCode('TENURE_POOL_DOUBLE_RELEASE'));
        expect(reset).not.toHaveBeenCalled();
        expect(t.pool.loans()).toEqual([]);
        if (taken !== undefined) await t.give(taken);
        await t.pool.use((resource) => t.work(resource));
        await settle();
        expect(reset).toHaveBeenCalledOnce();
      },
    );

    test("loans of the peer's other users count in the figures, and are not reported", async () => {
      await using t = setUp(2);
      const taken = await t.take();
      await using _lease = await t.pool.lease();
      expect(t.pool.stats().borrowed).toBe(2);
      expect(t.pool.loans()).toHaveLength(1);
      await t.give(taken);
    });

    test('an option that is unknown or malformed is refused', async () => {
      await using t = setUp();
      await expect(t.pool.lease({ timeoutMillis: -1 })).rejects.toThrow(/`timeoutMillis`/);
      await expect(t.pool.use('query' as never)).rejects.toThrow(/`fn`/);
      expect(() => make(1, { nmae: 'db' } as never)).toThrow(/unknown option `nmae`/);
      expect(() => make(1, { acquireTimeoutMillis: 0 })).toThrow(/`acquireTimeoutMillis`/);
    });

    test('options of close that are none are refused, and inherited ones count', async () => {
      await using t = setUp();
      for (const options of [AbortSignal.abort(), [], new Map(), null]) {
        await expect(t.pool.close(options as never)).rejects.toThrow(
          /close: options must be a plain object/,
        );
      }
      await expect(t.pool.close({ endper: true } as never)).rejects.toThrow(
        /Known options: endPeer/,
      );
      const lease = await t.pool.lease();
      await expect(t.pool.close(Object.create({ graceMillis: 0 }))).rejects.toMatchObject({
        code: 'TENURE_POOL_LEASES_OUT',
      });
      lease.release();
      await t.pool.close();
    });
  });

  describe('giving up', () => {
    test('a caller that aborts its wait has left, and the next one is served', async () => {
      await using t = setUp();
      const lease = await t.pool.lease();
      const leaving = new AbortController();
      const left = t.pool.lease({ signal: leaving.signal });
      const next = t.pool.lease();
      leaving.abort(new Error('client went away'));
      await expect(left).rejects.toThrow('client went away');
      lease.release();
      (await next).release();
      expect(t.pool.stats().acquireAborts).toBe(1);
    });

    test('a resource for a caller that has left goes straight back to the peer', async () => {
      await using t = setUp();
      const leaving = new AbortController();
      const left = t.pool.lease({ signal: leaving.signal });
      leaving.abort(new Error('client went away'));
      await expect(left).rejects.toThrow('client went away');
      const lease = await t.pool.lease();
      await t.work(lease.resource);
      lease.release();
      expect(t.pool.stats().loans).toBe(1);
    });

    test('a signal that has already aborted causes no request', async () => {
      await using t = setUp();
      const reason = new Error('too late');
      await expect(t.pool.lease({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      expect(t.pool.stats()).toMatchObject({ size: 0, waited: 0 });
    });

    test('a wait ends by its timeout, and the error names the line of the holder', async () => {
      await using t = setUp(1, { acquireTimeoutMillis: 5_000 });
      const lease = await t.pool.lease(); // the holder
      const timedOut = t.pool.lease().catch((error: unknown) => error);
      const soon = t.pool.use(() => {}, { timeoutMillis: 10 }).catch((error: unknown) => error);
      await t.clock.advance(10);
      expect(await soon).toMatchObject({ code: 'TENURE_POOL_ACQUIRE_TIMEOUT' });
      await t.clock.advance(4_990);
      const line = lineOf(import.meta.url, '// the holder');
      expect(await timedOut).toMatchObject({
        code: 'TENURE_POOL_ACQUIRE_TIMEOUT',
        stats: { borrowed: 1, max: 1 },
        loans: [{ site: expect.stringContaining(`adoption-contract.ts:${line}`) }],
      });
      lease.release();
      (await t.pool.lease()).release();
      expect(t.pool.stats().acquireTimeouts).toBe(2);
    });
  });

  describe('many callers', () => {
    test('one timer serves all deadlines, however many callers wait', async () => {
      await using t = setUp(1, { acquireTimeoutMillis: 5_000 });
      const lease = await t.pool.lease();
      expect(t.clock.pendingTimers).toBe(0);
      const waiting = Array.from({ length: 20 }, (_, n) =>
        t.pool.lease({ timeoutMillis: 1_000 - n }).catch(codeOf),
      );
      const staying = t.pool.lease();
      expect(t.clock.pendingTimers).toBeLessThanOrEqual(1);
      await t.clock.advance(1_000);
      expect(new Set(await Promise.all(waiting))).toEqual(new Set(['TENURE_POOL_ACQUIRE_TIMEOUT']));
      lease.release();
      (await staying).release();
    });

    test('callers that have left do not count as waiting, and a long row of them is given back to the peer', async () => {
      await using t = setUp();
      const lease = await t.pool.lease();
      const leaving = new AbortController();
      const { signal } = leaving;
      const left = Array.from({ length: 10_000 }, () => t.pool.lease({ signal }).catch(codeOf));
      leaving.abort({ code: 'LEFT' });
      expect(new Set(await Promise.all(left))).toEqual(new Set(['LEFT']));
      expect(t.pool.stats().pending).toBe(0);
      const next = t.pool.lease();
      lease.release();
      (await next).release();
      await until(() => t.pool.stats().borrowed === 0);
      expect(t.pool.stats()).toMatchObject({ borrowed: 0, loans: 2 });
    });
  });

  describe('hooks', () => {
    test('onAcquire prepares each resource before its loan, and reset cleans it afterwards', async () => {
      const calls: string[] = [];
      await using t = setUp(1, {
        onAcquire: async () => calls.push('acquired'),
        reset: async () => calls.push('reset'),
      });
      const lease = await t.pool.lease();
      calls.push('lent');
      await lease.release();
      await t.pool.use(() => calls.push('used'));
      await until(() => t.pool.stats().available === 1);
      expect(calls).toEqual(['acquired', 'lent', 'reset', 'acquired', 'used', 'reset']);
    });

    test('a resource whose onAcquire fails is destroyed, and the caller has the error', async () => {
      let isFailing = true;
      await using t = setUp(1, {
        onAcquire: () => {
          if (isFailing) throw new Error('no tenant');
        },
      });
      await expect(t.pool.lease()).rejects.toThrow('no tenant');
      isFailing = false;
      await t.pool.use(t.work);
      await until(() => t.pool.stats().destroyed === 1);
      expect(t.pool.stats()).toMatchObject({ borrowed: 0, destroyedBy: { invalid: 1 } });
    });

    test.each(['signal', 'timeout'])(
      'a caller whose %s ends its wait during onAcquire leaves at once, and the resource serves the next one',
      async (way) => {
        const steps: (() => void)[] = [];
        const prepared = (): Promise<void> => new Promise((resolve) => steps.push(resolve));
        await using t = setUp(1, { onAcquire: prepared });
        const leaving = new AbortController();
        const options = way === 'signal' ? { signal: leaving.signal } : { timeoutMillis: 200 };
        const outcome = t.pool.lease(options).then(
          () => 'lent',
          (error: { readonly code?: string; readonly message: string }) =>
            error.code ?? error.message,
        );
        await until(() => steps.length === 1);
        if (way === 'signal') leaving.abort(new Error('left'));
        else await t.clock.advance(200);
        expect(await outcome).toBe(way === 'signal' ? 'left' : 'TENURE_POOL_ACQUIRE_TIMEOUT');
        const next = t.pool.use(t.work);
        for (const ready of [1, 2]) {
          await until(() => steps.length === ready);
          steps[ready - 1]?.();
        }
        await next;
        await until(() => t.pool.stats().available === 1);
        expect(t.pool.stats()).toMatchObject({ borrowed: 0, loans: 2, destroyed: 0 });
      },
    );

    test('a resource that cannot be reset, or not in time, is destroyed', async () => {
      const complained = vi.spyOn(console, 'error').mockImplementation(() => {});
      const hangs = new Promise<never>(() => {});
      const resets: (() => unknown)[] = [() => Promise.reject(new Error('is gone')), () => hangs];
      await using t = setUp(1, { reset: () => resets.shift()?.(), hookTimeoutMillis: 500 });
      await (await t.pool.lease()).release();
      const releasing = (await t.pool.lease()).release();
      expect(t.pool.stats()).toMatchObject({ resetting: 1 });
      await t.clock.advance(500);
      await releasing;
      await t.pool.use(t.work);
      await until(() => t.pool.stats().available === 1);
      expect(t.pool.stats()).toMatchObject({ borrowed: 0, destroyedBy: { reset: 2 } });
      expect(complained).toHaveBeenCalledTimes(2);
      complained.mockRestore();
    });

    test('a resource that an error shows to be broken is destroyed at the end of its loan', async () => {
      await using t = setUp(1, { isBroken: (error) => String(error).includes('broken') });
      await t.pool.use(() => Promise.reject(new Error('broken'))).catch(() => {});
      await t.pool.use(() => Promise.reject(new Error('no such order'))).catch(() => {});
      const lease = await t.pool.lease();
      lease.reportError(new Error('broken'));
      await lease.release();
      await t.pool.use(t.work);
      await until(() => t.pool.stats().destroyed === 2);
      expect(t.pool.stats()).toMatchObject({ borrowed: 0, destroyedBy: { broken: 2 } });
    });
  });

  describe('closing', () => {
    test('close settles although another user of the peer holds a resource', async () => {
      await using t = setUp(2);
      const taken = await t.take();
      const closing = t.pool
        .close({ endPeer: true, force: true, graceMillis: 200 })
        .then(() => 'ended', codeOf);
      let outcome: unknown;
      void closing.then((it) => {
        outcome = it;
      });
      await until(async () => {
        await t.clock.advance(1_000);
        return outcome !== undefined;
      });
      expect(['ended', 'TENURE_POOL_PEER_TIMEOUT']).toContain(outcome);
      await t.give(taken);
    });

    test('waiters are rejected, close waits for the loans, and the peer stays open', async () => {
      await using t = setUp();
      const lease = await t.pool.lease();
      const waiting = t.pool.lease();
      const refused = expect(waiting).rejects.toThrow(withCode('TENURE_POOL_CLOSED'));
      const closed = t.pool.close({ graceMillis: 1_000 });
      await refused;
      lease.release();
      await closed;
      await expect(t.pool.lease()).rejects.toThrow(withCode('TENURE_POOL_CLOSED'));
      const taken = await t.take();
      await t.work(taken);
      await t.give(taken);
    });

    test('loans that are out after the grace are reported, and destroyed by force', async () => {
      await using t = setUp();
      const lease = await t.pool.lease();
      const closed = expect(t.pool.close({ graceMillis: 1_000 })).rejects.toMatchObject({
        code: 'TENURE_POOL_LEASES_OUT',
        loans: [{ takenBy: 'lease' }],
      });
      await t.clock.advance(1_000);
      await closed;
      await t.pool.close({ graceMillis: 0, force: true });
      expect(() => lease.resource).toThrow(withCode('TENURE_POOL_LEASE_ENDED'));
      lease.release();
      expect(t.pool.stats()).toMatchObject({ borrowed: 0, destroyedBy: { forced: 1 } });
    });

    test('the peer ends with the adopted pool only if endPeer is set', async () => {
      await using t = setUp();
      await t.pool.use(t.work);
      await t.pool.close();
      expect(await t.isEnded()).toBe(false);
      await t.pool.close({ endPeer: true });
      await t.pool.close({ endPeer: true });
      expect(await t.isEnded()).toBe(true);
    });
  });

  describe('watching', () => {
    test('a loan is a node from grant to return', async () => {
      await using t = setUp(2);
      const observer = new RecordingObserver();
      using _watch = t.pool[observe](observer);
      const lease = await t.pool.lease();
      await t.pool.use((_resource, context) => {
        context.touch('query sent');
        expect(observer.liveOf('lease')).toHaveLength(2);
      });
      expect(observer.liveOf('lease')).toHaveLength(1);
      lease.touch();
      lease.expectHold(60_000);
      lease.release();
      expect(observer.live.size).toBe(0);
      await (await t.pool.lease()).destroy();
      (await t.pool.lease())[Symbol.dispose]();
      expect(observer.live.size).toBe(0);
      expect(observer.log.filter((line) => /touched|expected/.test(line))).toHaveLength(3);
      expect(() => t.pool[observe](observer)).toThrow(withCode('TENURE_ALREADY_WATCHED'));
    });

    test('a forced close is reported as a loan that its holder has not ended', async () => {
      await using t = setUp();
      const observer = new RecordingObserver();
      const byForce: unknown[] = [];
      const { freed } = observer;
      observer.freed = (node, reclaimed?: boolean) => {
        if (reclaimed === true) byForce.push(node);
        freed.call(observer, node, reclaimed);
      };
      using _watch = t.pool[observe](observer);
      await t.pool.lease();
      await t.pool.close({ graceMillis: 0, force: true });
      expect([byForce.length, observer.live.size]).toEqual([1, 0]);
    });

    test('a lease without a holder is reported as abandoned, with its line', async () => {
      await using t = setUp(2);
      using watchdog = new Watchdog({ level: 'advanced', clock: t.clock });
      watchdog.watch(t.pool);
      await (async () => {
        await t.pool.lease(); // where it is lost
      })();
      using _held = await t.pool.lease();
      const [report, ...others] = await watchdog.check({ forceGc: true });
      expect(others).toEqual([]);
      expect(report).toMatchObject({ rule: 'abandoned', certainty: 'certain', count: 1 });
      expect(report?.evidence.v8).toBe('collected');
      expect(report?.site?.line).toBe(lineOf(import.meta.url, '// where it is lost'));
      await t.pool.close({ graceMillis: 0, force: true });
    });

    test('a lease that outlives its scope is reported as orphaned at once', async () => {
      await using t = setUp();
      using watchdog = new Watchdog({ level: 'advanced', clock: t.clock });
      watchdog.watch(t.pool);
      const lease = await watchdog.scope('GET /orders', () => t.pool.lease());
      expect(await watchdog.check()).toMatchObject([{ rule: 'orphaned', count: 1 }]);
      lease.release();
    });

    test('a resource that is given back past its lease is told as that, and not as lost', async () => {
      await using t = setUp();
      using watchdog = new Watchdog({ level: 'advanced', clock: t.clock });
      watchdog.watch(t.pool);
      const told: string[] = [];
      watchdog.on('leak', ({ rule }) => told.push(rule));
      watchdog.on('retracted', ({ rule }) => told.push(`retracted ${rule}`));
      const lease = await watchdog.scope('GET /orders', async () => {
        const taken = await t.pool.lease(); // where its lease is taken
        await t.give(taken.resource);
        return taken;
      });
      await t.clock.advance(5_000);
      expect(told).toEqual(['direct-release']);
      const [report, ...others] = await watchdog.check({ forceGc: true });
      expect(others).toEqual([]);
      expect(report).toMatchObject({ rule: 'direct-release', certainty: 'certain', count: 1 });
      expect(report?.site?.line).toBe(lineOf(import.meta.url, '// where its lease is taken'));
      expect(watchdog.stats()).toMatchObject({ lost: 0, loansOut: 0 });
      const text = formatReport([report as LeakReport]);
      expect(text).toContain('MISUSE  1 loan given back past its lease');
      expect(text).toContain('0/1 out');
      expect(() => lease.release()).toThrow(withCode('TENURE_POOL_DOUBLE_RELEASE'));
    });

    test('a resource that is given back past its lease and lent again is told as given back', async () => {
      await using t = setUp();
      using watchdog = new Watchdog({ level: 'advanced', clock: t.clock });
      watchdog.watch(t.pool);
      const first = await t.pool.lease();
      expect(await watchdog.check()).toEqual([]);
      await untilTheNextMillisecond();
      await t.give(first.resource);
      const taken = await t.take();
      expect(await watchdog.check()).toMatchObject([{ rule: 'direct-release', count: 1 }]);
      await t.give(taken);
      expect(() => first.release()).toThrow(withCode('TENURE_POOL_DOUBLE_RELEASE'));
    });

    test('resources that are taken from the peer directly are told once the pool is exhausted', async () => {
      await using t = setUp(2);
      using watchdog = new Watchdog({ level: 'advanced', clock: t.clock });
      watchdog.watch(t.pool);
      const taken = [await t.take(), await t.take()] as const;
      for (let i = 0; i < 7; i++) {
        expect(await watchdog.check()).toEqual([]);
        const refused = expect(t.pool.lease({ timeoutMillis: 1 })).rejects.toThrow();
        await t.clock.advance(10_000);
        await refused;
      }
      const [report, ...others] = await watchdog.check();
      expect(others).toEqual([]);
      expect(report).toMatchObject({ rule: 'exhausted', isDirect: true, count: 2 });
      const text = formatReport([report as LeakReport]);
      expect(text).toContain('taken from the pool underneath, past the adopted one');
      expect(text).toContain('2/2 out, 2 of them taken directly');
      for (const resource of taken) await t.give(resource);
      await until(() => t.pool.stats().borrowed === 0); // The callers that have left are served first.
      expect(await watchdog.check()).toEqual([]);
    });

    test('assertNoLeaks says how many resources were taken from the peer directly', async () => {
      await using t = setUp(2);
      using watchdog = new Watchdog({ clock: t.clock });
      watchdog.watch(t.pool);
      using warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
      const taken = await t.take();
      using _lease = await t.pool.lease();
      await watchdog.assertNoLeaks();
      const [line] = warned.mock.calls[0] ?? [];
      expect(line).toContain('still out: pool "db" ×1 and ×1 taken directly');
      await t.give(taken);
    });

    test('other users of the peer that take its resources in turn make no report', async () => {
      await using t = setUp(1);
      using watchdog = new Watchdog({ clock: t.clock });
      watchdog.watch(t.pool);
      for (let i = 0; i < 10; i++) {
        const taken = await t.take();
        await t.clock.advance(10_000);
        expect(await watchdog.check()).toEqual([]);
        await untilTheNextMillisecond();
        await t.give(taken);
      }
      expect(await watchdog.check()).toEqual([]);
      expect(watchdog.stats().loansOut).toBe(0);
    });

    test('nothing keeps a lease from being collected, watched or not', async () => {
      await using t = setUp();
      const lost = await (async () => new WeakRef(await t.pool.lease()))();
      await untilCollected(lost);
      await t.pool.close({ graceMillis: 0, force: true });
    });
  });

  describe('beside a watch over the pools of all packages', () => {
    function watchBoth(t: { readonly pool: AdoptedPool<T>; readonly clock: FakeClock }) {
      const watchdog = new Watchdog({ level: 'advanced', clock: t.clock, graceMillis: 0 });
      const foreign = watchForeignPools(watchdog);
      watchdog.watch(t.pool);
      return {
        watchdog,
        foreign,
        [Symbol.dispose](): void {
          foreign[Symbol.dispose]();
          watchdog[Symbol.dispose]();
        },
      };
    }

    test.each([
      ['watched before the adopted pool', true],
      ['never called but by it', false],
    ])('a lost lease is told once, of a peer that was %s', async (_when, isKnown) => {
      await using t = setUp(2);
      using both = watchBoth(t);
      if (isKnown) await t.give(await t.take());
      const begun = isKnown ? 1 : 0;
      const lost = await both.watchdog.scope('job', () =>
        Promise.all([t.pool.lease(), t.pool.lease()]),
      );
      const reports = await both.watchdog.check();
      expect(reports).toMatchObject([{ component: { name: 'db' }, count: 2 }]);
      expect(both.watchdog.stats()).toMatchObject({ loans: begun + 2, loansOut: 2, lost: 2 });
      for (const lease of lost) await lease.release();
      expect(await both.watchdog.check()).toEqual([]);
    });

    test('a resource that is lost past the adopted pool is told once, by its line', async () => {
      await using t = setUp(2);
      using both = watchBoth(t);
      using _lease = await t.pool.lease();
      const taken = await both.watchdog.scope('job', () => t.take());
      for (let i = 0; i < 9; i++) {
        const refused = expect(t.pool.lease({ timeoutMillis: 1 })).rejects.toThrow();
        await t.clock.advance(10_000);
        await refused;
      }
      const reports = await both.watchdog.check();
      expect(reports.filter(({ component }) => component.name !== 'db')).toMatchObject([
        { rule: 'orphaned', scope: 'job', count: 1 },
      ]);
      expect(reports.filter(({ isDirect }) => isDirect)).toEqual([]);
      expect(both.watchdog.stats().loansOut).toBe(2);
      await t.give(taken);
      await until(() => t.pool.stats().borrowed === 1);
    });

    test('a waiter of the adopted pool that gets the resource of another one is told once', async () => {
      await using t = setUp(1);
      using both = watchBoth(t);
      const taken = await t.take();
      const waiting = both.watchdog.scope('job', () => t.pool.lease());
      await t.give(taken);
      const lease = await waiting;
      expect(await both.watchdog.check()).toMatchObject([{ component: { name: 'db' }, count: 1 }]);
      expect(both.watchdog.stats()).toMatchObject({ loans: 2, loansOut: 1 });
      await lease.destroy();
      const next = await t.take();
      expect(both.watchdog.stats()).toMatchObject({ loans: 3, loansOut: 1 });
      await t.give(next);
    });

    test('a detached resource that is not given back is told as one that was taken directly', async () => {
      await using t = setUp(1);
      using both = watchBoth(t);
      const lease = await t.pool.lease();
      const resource = lease.detach();
      await both.watchdog.check();
      await both.watchdog.check();
      expect(both.watchdog.stats().loansOut).toBe(1);
      await t.give(resource);
    });

    test('a lost lease is told by the watch over the peer if the adopted pool has none', async () => {
      await using t = setUp(1);
      using watchdog = new Watchdog({ level: 'advanced', clock: t.clock, graceMillis: 0 });
      using _foreign = watchForeignPools(watchdog);
      const lease = await watchdog.scope('job', () => t.pool.lease());
      const [report, ...others] = await watchdog.check();
      expect(others).toEqual([]);
      expect(report).toMatchObject({ rule: 'orphaned', scope: 'job', count: 1 });
      expect(report?.component.name).not.toBe('db');
      await lease.release();
    });

    test('each of two watchdogs is told of a resource that is lost past the adopted pool', async () => {
      await using t = setUp(1);
      using watchdog = new Watchdog({ level: 'advanced', clock: t.clock });
      watchdog.watch(t.pool);
      using other = new Watchdog({ level: 'advanced', clock: t.clock, graceMillis: 0 });
      using _foreign = watchForeignPools(other);
      const taken = await other.scope('job', () => t.take());
      expect(await other.check()).toMatchObject([{ rule: 'orphaned', scope: 'job' }]);
      await watchdog.check();
      await watchdog.check();
      expect(watchdog.stats().loansOut).toBe(1);
      await t.give(taken);
    });

    test('after the end of the adopted pool, a resource lost by another user of the peer is told', async () => {
      await using t = setUp(1);
      using both = watchBoth(t);
      await t.pool.use(() => {});
      await t.pool.close();
      const taken = await both.watchdog.scope('job', () => t.take());
      expect(await both.watchdog.check()).toMatchObject([{ rule: 'orphaned', scope: 'job' }]);
      await t.give(taken);
    });
  });
}

/** mysql2 tells its loans of one connection apart by the time of its last release. */
async function untilTheNextMillisecond(): Promise<void> {
  const now = Date.now();
  await until(() => Date.now() > now);
}

function withCode(code: string): Error {
  return expect.objectContaining({ code });
}
