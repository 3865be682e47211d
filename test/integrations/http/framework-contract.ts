/**
 * What the scopes of each web framework have to do, on a real server with a real pool: leaking routes are named, healthy ones are
 * not, and neither an abort, an error, a streamed body nor load changes that.
 */
import { once } from 'node:events';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import type { ScopeOpener } from '../../../src/integrations/express.js';
import { createPool } from '../../../src/pool/index.js';
import { allowLeaks } from '../../../src/testing/index.js';
import { Watchdog } from '../../../src/watchdog/index.js';
import { Gate } from '../../kit/gate.js';
import { until } from '../../kit/until.js';

/** A route. A result is sent as the body; an error is answered with the status 500. */
export interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  handle(): Promise<string | Readable>;
}

/** A server of a framework. */
export interface FrameworkServer {
  readonly port: number;
  close(): Promise<unknown>;
}

/** Options of the scopes, as far as every framework takes them. */
export interface ContractOptions {
  readonly name?: () => string;
  readonly ignore?: (request: never) => boolean;
}

/** Starts a server with the scopes of a watchdog. */
export type Serve = (
  watchdog: ScopeOpener,
  routes: readonly Route[],
  options: ContractOptions,
) => Promise<FrameworkServer>;

/** Tests that the scopes of a framework keep the contract. `seesEveryRequest` is unset if a request without a handler has no scope. */
export function testScopesOf(framework: string, serve: Serve, seesEveryRequest = true): void {
  async function service(options: ContractOptions = {}) {
    const watchdog = new Watchdog({ level: 'advanced', graceMillis: 0 });
    const pool = createPool({ create: () => ({}), destroy: () => {} }, { name: 'db', max: 200 });
    watchdog.watch(pool);
    const gates = { slow: new Gate(), late: new Gate() };
    const handled: string[] = [];
    const routes: Route[] = [
      { method: 'GET', path: '/orders/:id', handle: () => pool.use(async () => 'order') },
      {
        method: 'GET',
        path: '/leaks/:id',
        async handle() {
          await pool.lease();
          return 'leaked';
        },
      },
      {
        method: 'POST',
        path: '/bodies',
        async handle() {
          await pool.lease();
          return 'leaked';
        },
      },
      {
        method: 'GET',
        path: '/throws/:how',
        async handle() {
          await using _lease = await pool.lease();
          throw new Error('the handler fails');
        },
      },
      {
        method: 'GET',
        path: '/throws-and-leaks',
        async handle() {
          await pool.lease();
          throw new Error('the handler fails');
        },
      },
      {
        method: 'GET',
        path: '/streams',
        async handle() {
          const lease = await pool.lease();
          return Readable.from(['one ', 'two ', 'three']).once('close', () => lease.release());
        },
      },
      {
        method: 'GET',
        path: '/slow',
        async handle() {
          await using _lease = await pool.lease();
          handled.push('/slow');
          await gates.slow.passed;
          return 'slow';
        },
      },
      {
        method: 'GET',
        path: '/slow-and-leaks',
        async handle() {
          await pool.lease();
          handled.push('/slow-and-leaks');
          await gates.slow.passed;
          return 'slow';
        },
      },
      {
        method: 'GET',
        path: '/late',
        async handle() {
          const lease = await pool.lease();
          void gates.late.passed.then(() => lease.release());
          return 'late';
        },
      },
    ];
    const server = await serve(watchdog, routes, options);
    const open = (path: string, init: { method?: string; body?: readonly string[] } = {}) =>
      sendRequest(server.port, path, init);
    return {
      watchdog,
      pool,
      gates,
      handled,
      server,
      open,
      /** Sends a request, and gives the status and the body of the response. */
      async get(path: string, init?: { method: string; body: readonly string[] }) {
        const sent = open(path, init);
        const [response] = (await once(sent, 'response')) as [IncomingMessage];
        let body = '';
        for await (const chunk of response) body += String(chunk);
        return { status: response.statusCode, body };
      },
      /** Gives the scopes that leak, with their counts, once every scope has ended. */
      async leaks(): Promise<[string, number][]> {
        await until(() => watchdog.stats().scopes === 0);
        // V8 may have confirmed a part of the leaks, which then have a report of their own.
        const counts = new Map<string, number>();
        for (const { scopes } of await watchdog.check()) {
          for (const { scope, count } of scopes)
            counts.set(scope, (counts.get(scope) ?? 0) + count);
        }
        return [...counts].sort(([a], [b]) => a.localeCompare(b));
      },
      async [Symbol.asyncDispose]() {
        for (const gate of Object.values(gates)) gate.open();
        await server.close();
        watchdog[Symbol.dispose]();
        await pool.close({ graceMillis: 0, force: true });
      },
    };
  }

  test(`${framework}: a leaking route is named, with its line; a healthy one is not`, async () => {
    allowLeaks();
    await using t = await service();
    expect(await t.get('/orders/17')).toEqual({ status: 200, body: 'order' });
    expect(await t.leaks()).toEqual([]);
    expect((await t.get('/leaks/17')).body).toBe('leaked');
    expect((await t.get('/leaks/18')).body).toBe('leaked');
    expect(await t.leaks()).toEqual([['GET /leaks/:id', 2]]);
    const [report] = await t.watchdog.check();
    expect(report?.rule).toBe('orphaned');
    expect(report?.site?.file).toBe('test/integrations/http/framework-contract.ts');
  });

  test(`${framework}: under load, each leak counts for its own route, and none for a healthy one`, async () => {
    allowLeaks();
    await using t = await service();
    const paths = Array.from({ length: 300 }, (_, i) =>
      i % 10 === 0 ? '/leaks/1' : `/orders/${i}`,
    );
    const { length } = await Promise.all(paths.map((path) => t.get(path)));
    expect(length).toBe(300);
    expect(await t.leaks()).toEqual([['GET /leaks/:id', 30]]);
  });

  test(`${framework}: a loan that a handler takes behind a chunked body belongs to the request`, async () => {
    allowLeaks();
    await using t = await service();
    const body = ['{"a":', '1}'];
    expect((await t.get('/bodies', { method: 'POST', body })).body).toBe('leaked');
    expect(await t.leaks()).toEqual([['POST /bodies', 1]]);
  });

  test(`${framework}: a handler that throws is answered, and leaks only what it has left out`, async () => {
    allowLeaks();
    await using t = await service();
    expect((await t.get('/throws/early')).status).toBe(500);
    expect(await t.leaks()).toEqual([]);
    expect((await t.get('/throws-and-leaks')).status).toBe(500);
    expect(await t.leaks()).toEqual([['GET /throws-and-leaks', 1]]);
  });

  test(`${framework}: a loan that lasts as long as a streamed body is no leak`, async () => {
    await using t = await service();
    expect(await t.get('/streams')).toEqual({ status: 200, body: 'one two three' });
    expect(await t.leaks()).toEqual([]);
    expect(t.pool.borrowed).toBe(0);
  });

  test(`${framework}: the scope of an aborted request ends, and its handler may still release`, async () => {
    allowLeaks();
    await using t = await service();
    for (const path of ['/slow', '/slow-and-leaks']) {
      const sent = t.open(path);
      sent.on('error', () => {}); // The socket hangs up.
      await until(() => t.handled.includes(path));
      sent.destroy();
    }
    await until(() => t.watchdog.stats().scopes === 0);
    t.gates.slow.open();
    await until(() => t.pool.borrowed === 1);
    expect(await t.leaks()).toEqual([['GET /slow-and-leaks', 1]]);
  });

  test(`${framework}: the scopes of pipelined requests end when their client leaves`, async () => {
    await using t = await service();
    const socket = connect(t.server.port, 'localhost');
    socket.write('GET /slow HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(20));
    await until(() => t.handled.length === 20);
    socket.destroy();
    await until(() => t.watchdog.stats().scopes === 0);
    t.gates.slow.open();
    await until(() => t.pool.borrowed === 0);
    expect(await t.leaks()).toEqual([]);
  });

  test(`${framework}: a loan that is released after the response retracts its leak`, async () => {
    await using t = await service();
    await t.get('/late');
    expect(await t.leaks()).toEqual([['GET /late', 1]]);
    t.gates.late.open();
    await until(() => t.pool.borrowed === 0);
    expect(await t.leaks()).toEqual([]);
  });

  test(`${framework}: a request without a route is named by the first segment of its path`, async () => {
    await using t = await service();
    const names: string[] = [];
    const { openScope } = t.watchdog;
    t.watchdog.openScope = (name) => {
      names.push(name);
      return openScope.call(t.watchdog, name);
    };
    expect((await t.get('/no/such/route?secret=1')).status).toBe(404);
    await until(() => t.watchdog.stats().scopes === 0);
    expect(names).toEqual(seesEveryRequest ? ['GET /no/…'] : []);
  });

  test(`${framework}: the options name a scope, and leave requests out`, async () => {
    allowLeaks();
    await using t = await service({ name: () => 'a leak', ignore: () => false });
    await t.get('/leaks/1');
    expect(await t.leaks()).toEqual([['a leak', 1]]);
    await using ignoring = await service({ ignore: () => true });
    await ignoring.get('/leaks/1');
    expect(await ignoring.leaks()).toEqual([]);
    expect(ignoring.pool.borrowed).toBe(1);
  });

  test(`${framework}: an option that is malformed is refused`, async () => {
    using watchdog = new Watchdog();
    const start = (options: object): Promise<unknown> =>
      (async () => serve(watchdog, [], options as ContractOptions))();
    await expect(start({ nam: () => '' })).rejects.toMatchObject({
      code: 'TENURE_INVALID_ARGUMENT',
    });
    await expect((async () => serve({} as ScopeOpener, [], {}))()).rejects.toMatchObject({
      code: 'TENURE_INVALID_ARGUMENT',
    });
  });
}

function sendRequest(
  port: number,
  path: string,
  { method = 'GET', body = [] }: { method?: string; body?: readonly string[] },
): ClientRequest {
  const headers = {
    connection: 'close',
    ...(body.length > 0 && { 'content-type': 'application/json' }),
  };
  const sent = httpRequest({ port, path, method, headers });
  for (const chunk of body.slice(0, -1)) sent.write(chunk);
  const last = body.at(-1);
  if (last === undefined) sent.end();
  else setImmediate(() => sent.end(last)); // A second chunk, in a packet of its own.
  return sent;
}
