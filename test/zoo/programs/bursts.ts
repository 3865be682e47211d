/** Programs whose jobs leak in bursts, tenants that lose one loan each, and callers that share or lose a lease of a request. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { EventEmitter, once } from 'node:events';
import { PassThrough, Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { memoize } from '../../../src/memoize/index.js';
import { createKeyedPool, type Lease } from '../../../src/pool/index.js';
import { eachMinute, eachQuietMinute, MINUTE } from '../minutes.js';
import { type Conn, connections, type Program } from '../program.js';

export const bursts: readonly Program[] = [
  {
    // A pause between two runs is no end of the rise. The report has to stand in each minute once the pauses are known.
    name: 'a job of every ten minutes leaves scopes that never end',
    finds: { rules: ['growth'] },
    async run(zoo) {
      const left: unknown[] = [];
      let quiet = 0;
      await eachMinute(zoo, 120, async (minute) => {
        if (minute % 10 === 0) {
          for (let i = 0; i < 60; i++) left.push(zoo.watchdog.openScope('job export'));
        }
        if (minute > 60 && (await zoo.watchdog.check()).length === 0) quiet++;
      });
      if (quiet > 0) throw new Error(`the leak was not told in ${quiet} minutes`);
      return left;
    },
  },
  {
    // As above. The cache has other entries that stay, and its line has to be named.
    name: 'an import of every five minutes fills a cache without a bound',
    finds: { rules: ['growth'] },
    async run(zoo) {
      const rowOf = zoo.watched(memoize(async (id: number) => ({ id }), { name: 'row' }));
      for (let id = -500; id < 0; id++) await rowOf(id);
      let id = 0;
      await eachMinute(zoo, 91, async (minute) => {
        if (minute % 5 > 0) return;
        for (let i = 0; i < 200; i++) await rowOf(id++); // LEAK: an import of every five minutes fills a cache without a bound
      });
      return rowOf;
    },
  },
  {
    // The counts of minutes see one step, and then none for an hour.
    name: 'a job of every hour leaves the sessions that it has looked at',
    finds: { rules: ['growth'] },
    async run(zoo) {
      const sessionOf = zoo.watched(memoize(async (id: number) => ({ id }), { name: 'session' }));
      let id = 0;
      await eachMinute(zoo, 7 * 60, async (minute) => {
        if (minute % 60 > 0) return;
        for (let i = 0; i < 50; i++) await sessionOf(id++); // LEAK: a job of every hour leaves the sessions that it has looked at
      });
      return sessionOf;
    },
  },
  {
    // As above, but each run drops what the run of three hours ago has left.
    name: 'a job of every hour keeps the sessions of its last three runs',
    async run(zoo) {
      const sessionOf = zoo.watched(memoize(async (id: number) => ({ id }), { name: 'session' }));
      await eachQuietMinute(zoo, 10 * 60, async (minute) => {
        if (minute % 60 > 0) return;
        const first = (minute / 60) * 50;
        for (let i = 0; i < 50; i++) {
          sessionOf.delete(first - 150 + i);
          await sessionOf(first + i);
        }
      });
    },
  },
  {
    // A few steps are no trend: a cache may get its known keys in bursts.
    name: 'three imports fill a cache, which then stays as it is',
    async run(zoo) {
      const rowOf = zoo.watched(memoize(async (id: number) => ({ id }), { name: 'row' }));
      for (let id = -900; id < 0; id++) await rowOf(id);
      await eachQuietMinute(zoo, 60, async (minute) => {
        const first = minute * 3;
        if (minute < 30 && minute % 10 === 0) for (let i = 0; i < 30; i++) await rowOf(first + i);
      });
    },
  },
  {
    // A key is data, and no path of the code: one line is one leak, whatever the keys.
    name: 'the onboarding of each new tenant loses one lease of its pool',
    finds: { rules: ['orphaned'], count: 10 },
    async run(zoo) {
      const tenants = zoo.watched(
        createKeyedPool((_tenant: string) => connections, { name: 'tenants', clock: zoo.clock }),
      );
      const kept: unknown[] = [];
      for (let tenant = 0; tenant < 10; tenant++) {
        const key = `tenant ${tenant}`;
        await zoo.scope('POST /tenants', async () => {
          const lease = await tenants.lease(key); // LEAK: the onboarding of each new tenant loses one lease of its pool
          kept.push(lease);
          await lease.resource.query('create schema');
        });
        for (let i = 0; i < 20; i++) {
          await zoo.scope('GET /tenants', () => tenants.use(key, (conn) => conn.query('x')));
        }
      }
      return kept;
    },
  },
  {
    // `??=` around an await is a race: the second resolver overwrites the lease of the first one.
    name: 'two resolvers fill one field at a time, and one lease is overwritten',
    finds: { rules: ['orphaned'], count: 15 },
    async run(zoo) {
      const pool = zoo.pool();
      for (let i = 0; i < 15; i++) {
        await zoo.scope('POST /graphql', async () => {
          const context: { lease?: Lease<Conn> } = {};
          const resolve = async () => {
            context.lease ??= await pool.lease(); // LEAK: two resolvers fill one field at a time, and one lease is overwritten
            return context.lease.resource.query('x');
          };
          await Promise.all([resolve(), resolve()]);
          await context.lease?.release();
        });
      }
    },
  },
  {
    // This request has no race: the field has the promise.
    name: 'resolvers share the promise of one lease, which the request releases',
    async run(zoo) {
      const pool = zoo.pool();
      const requests = new AsyncLocalStorage<{ lease?: Promise<Lease<Conn>> }>();
      const connection = async (): Promise<Conn> => {
        const context = requests.getStore() ?? {};
        context.lease ??= pool.lease();
        return (await context.lease).resource;
      };
      for (let i = 0; i < 60; i++) {
        await zoo.scope('POST /graphql', async () => {
          const context: { lease?: Promise<Lease<Conn>> } = {};
          const resolve = async (n: number) =>
            (await connection()).query(i % 7 === n ? 'boom' : 'x');
          await requests.run(context, () => Promise.allSettled([1, 2, 3].map(resolve)));
          await (await context.lease)?.release();
        });
      }
      await zoo.age(MINUTE);
    },
  },
  {
    // The client leaves while the handler awaits: its listener of `close` comes too late.
    name: 'a stream of events misses that its client has left',
    finds: { rules: ['orphaned'], count: 5 },
    async run(zoo) {
      const pool = zoo.pool();
      const kept: unknown[] = [];
      for (let i = 0; i < 20; i++) {
        const request = new EventEmitter();
        const scope = zoo.watchdog.openScope('GET /events');
        request.once('close', () => scope.end());
        await scope.run(async () => {
          const lease = await pool.lease(); // LEAK: a stream of events misses that its client has left
          kept.push(lease);
          if (i % 4 === 0) request.emit('close');
          await lease.resource.query('history');
          request.once('close', () => void lease.release());
        });
        await zoo.age(1_000);
        if (i % 4 > 0) request.emit('close');
      }
      return kept;
    },
  },
  {
    // A stream that fails is never finished: `final` does not run.
    name: 'a sink takes its lease when it is constructed, and gives it back in final',
    finds: { rules: ['orphaned'], count: 5 },
    async run(zoo) {
      const pool = zoo.pool();
      const kept: Lease<Conn>[] = [];
      const sink = (): Writable => {
        let lease: Lease<Conn>;
        return new Writable({
          async construct(done) {
            lease = await pool.lease(); // LEAK: a sink takes its lease when it is constructed, and gives it back in final
            kept.push(lease);
            done();
          },
          write(chunk, _encoding, done) {
            lease.resource.query(String(chunk)).then(() => done(), done);
          },
          async final(done) {
            await lease.release();
            done();
          },
        });
      };
      for (let i = 0; i < 10; i++) {
        const source = Readable.from(['a', i % 2 > 0 ? 'boom' : 'b', 'c']);
        await zoo.scope('PUT /blob', () => pipeline(source, sink())).catch(() => {});
      }
      return kept;
    },
  },
  {
    // A pipeline ends in each of its phases by an abort, and the block releases.
    name: 'uploads are aborted in each phase of their pipeline',
    async run(zoo) {
      const pool = zoo.pool();
      for (let i = 0; i < 60; i++) {
        const stop = new AbortController();
        const chunks = function* () {
          for (let n = 0; n < 6; n++) {
            if (n === i % 6) stop.abort();
            yield `${n}`;
          }
        };
        await zoo
          .scope('PUT /file', async () => {
            await using lease = await pool.lease();
            const store = new Transform({
              transform(chunk, _encoding, done) {
                lease.resource.query(String(chunk)).then((row) => done(null, row), done);
              },
            });
            const sink = new PassThrough().resume();
            await pipeline(Readable.from(chunks()), store, sink, { signal: stop.signal });
          })
          .catch(() => {});
      }
      await zoo.age(MINUTE);
    },
  },
  {
    // A stream that is destroyed is never finished, though it closes.
    name: 'a duplex stream fails, and only its finish releases',
    finds: { rules: ['orphaned'], count: 4 },
    async run(zoo) {
      const pool = zoo.pool();
      const kept: unknown[] = [];
      for (let i = 0; i < 16; i++) {
        const scope = zoo.watchdog.openScope('rpc Chat');
        await scope.run(async () => {
          const call = new PassThrough();
          const lease = await pool.lease(); // LEAK: a duplex stream fails, and only its finish releases
          kept.push(lease);
          call.on('finish', () => void lease.release());
          call.on('error', () => {});
          if (i % 4 === 3) call.destroy(new Error('reset'));
          else call.resume().end('x');
          await once(call, 'close').catch(() => {});
        });
        scope.end();
      }
      return kept;
    },
  },
];
