import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import fastify from 'fastify';
import { expect, test } from 'vitest';
import { fastifyScopes } from '../../../src/integrations/fastify.js';
import { createPool } from '../../../src/pool/index.js';
import { allowLeaks } from '../../../src/testing/index.js';
import { Watchdog } from '../../../src/watchdog/index.js';
import { Gate } from '../../kit/gate.js';
import { until } from '../../kit/until.js';
import { testScopesOf } from './framework-contract.js';

testScopesOf('fastify', async (watchdog, routes, options) => {
  const app = fastify({ forceCloseConnections: true });
  app.register(fastifyScopes(watchdog, options as object));
  for (const { method, path: url, handle } of routes) {
    app.route({ method, url, handler: () => handle() });
  }
  await app.listen({ port: 0 });
  return { port: (app.server.address() as AddressInfo).port, close: () => app.close() };
});

test('fastify: the scopes serve hooks and routes of every plugin, and injected requests', async () => {
  allowLeaks();
  using watchdog = new Watchdog({ graceMillis: 0 });
  const pool = createPool({ create: () => ({}), destroy: () => {} });
  watchdog.watch(pool);
  const app = fastify();
  app.register(fastifyScopes(watchdog));
  app.register(
    (shops, _options, done) => {
      shops.addHook('preHandler', async () => void (await pool.lease()));
      shops.get('/:id', async () => 'a shop');
      done();
    },
    { prefix: '/shops' },
  );
  expect((await app.inject('/shops/17')).body).toBe('a shop');
  expect(watchdog.stats().scopes).toBe(0);
  expect(await watchdog.check()).toMatchObject([{ scope: 'GET /shops/:id', count: 1 }]);
  await app.close();
  await pool.close({ graceMillis: 0, force: true });
});

test('fastify: requests whose client has left before the scopes saw them leave none open', async () => {
  using watchdog = new Watchdog();
  const gate = new Gate();
  const app = fastify();
  let waiting = 0;
  app.addHook('onRequest', async () => {
    waiting++;
    await gate.passed;
  });
  app.register(fastifyScopes(watchdog));
  let handled = 0;
  app.get('/', async () => `${++handled}`);
  await app.listen({ port: 0 });
  const client = connect((app.server.address() as AddressInfo).port);
  client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(3));
  const [connection] = await once(app.server, 'connection');
  await until(() => waiting === 3);
  client.destroy();
  await once(connection, 'close');
  gate.open();
  await until(() => handled === 3);
  await until(() => watchdog.stats().scopes === 0);
  await app.close();
});

test('fastify: what is told while a request runs names its route', async () => {
  allowLeaks();
  using watchdog = new Watchdog({ level: 'advanced', graceMillis: 0 });
  await using pool = createPool({ create: () => ({}), destroy: () => {} });
  watchdog.watch(pool);
  const scopes: (string | undefined)[] = [];
  watchdog.on('leak', ({ scope }) => scopes.push(scope));
  const app = fastify();
  app.register(fastifyScopes(watchdog));
  app.get('/orders/:id', async () => {
    const resource = await pool.acquire();
    await pool.release(resource);
    await pool.release(resource).catch(() => {});
    return [...scopes];
  });
  await app.ready();
  expect((await app.inject('/orders/17')).json()).toEqual(['GET /orders/:id']);
  await app.close();
});

test('fastify: `ignore` knows the URL of a request', async () => {
  using watchdog = new Watchdog();
  const app = fastify();
  const scopes: number[] = [];
  app.register(fastifyScopes(watchdog, { ignore: ({ url }) => url === '/events?from=7' }));
  app.get('/events', async () => scopes.push(watchdog.stats().scopes));
  for (const url of ['/events?from=7', '/events']) await app.inject(url);
  expect(scopes).toEqual([0, 1]);
  await app.close();
});
