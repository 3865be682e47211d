import { EventEmitter, once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import express, { type ErrorRequestHandler, type RequestHandler } from 'express';
import { expect, test } from 'vitest';
import { expressScopes } from '../../../src/integrations/express.js';
import { createPool } from '../../../src/pool/index.js';
import { allowLeaks } from '../../../src/testing/index.js';
import { formatReport, type OpenScope, Watchdog } from '../../../src/watchdog/index.js';
import { Gate } from '../../kit/gate.js';
import { until } from '../../kit/until.js';
import { type FrameworkServer, type Route, testScopesOf } from './framework-contract.js';

async function listen(
  app: express.Express,
): Promise<FrameworkServer & { readonly server: Server }> {
  const server = createServer(app);
  server.listen(0);
  await once(server, 'listening');
  return {
    server,
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function add(app: express.IRouter, { method, path, handle }: Route): void {
  app[method === 'GET' ? 'get' : 'post'](path, async (_request, response) => {
    const result = await handle();
    if (typeof result === 'string') response.send(result);
    else await pipeline(result, response);
  });
}

/** Answers without printing the error. */
const answerError: ErrorRequestHandler = (_error, _request, response, _next) => {
  response.status(500).end();
};

testScopesOf('express', async (watchdog, routes, options) => {
  const app = express();
  app.use(expressScopes(watchdog, options as object));
  app.use(express.json());
  for (const route of routes) add(app, route);
  app.use(answerError);
  return listen(app);
});

test('express: a router that is mounted has its path in the name, and a second middleware adds no scope', async () => {
  allowLeaks();
  using watchdog = new Watchdog({ graceMillis: 0 });
  const pool = createPool({ create: () => ({}), destroy: () => {} });
  watchdog.watch(pool);
  const middleware = expressScopes(watchdog);
  const router = express.Router();
  router.use(middleware);
  for (const path of ['/', '/:id', /\/re$/] as const) {
    router.get(path, async (_request, response) => {
      await pool.lease();
      response.send(String(watchdog.stats().scopes));
    });
  }
  const app = express().use(middleware).use('/shops', router);
  const server = await listen(app);
  for (const path of ['', '/17', '/17/re']) {
    const response = await fetch(`http://localhost:${server.port}/shops${path}`);
    expect(await response.text()).toBe('1');
  }
  await server.close();
  await until(() => watchdog.stats().scopes === 0);
  const names = (await watchdog.check()).flatMap(({ scopes }) => scopes.map(({ scope }) => scope));
  expect(names.sort()).toEqual(['GET /shops', 'GET /shops/:id', 'GET /shops/\\/re$/']);
  await pool.close({ graceMillis: 0, force: true });
});

test('express: the name has the paths of the mounts as they are written, also if the handler fails', async () => {
  allowLeaks();
  using watchdog = new Watchdog({ graceMillis: 0 });
  const pool = createPool({ create: () => ({}), destroy: () => {} });
  watchdog.watch(pool);
  const lose: RequestHandler = async (_request, response) => {
    await pool.lease();
    response.send('lost');
  };
  const fail: RequestHandler = async () => {
    await pool.lease();
    throw new Error('from the handler');
  };
  const items = express.Router().get('/:item', lose).get('/:item/fail', fail);
  const orders = express.Router().get('/', lose).use('/:order/items', items).get('/:order', lose);
  const admin = express().use('/orders', express.Router().get('/:order', lose));
  const app = express().use(expressScopes(watchdog));
  app.use('/api/:tenant/orders', orders).use(['/a/:b/items', '/c/v:version/items'], items);
  app.use('/admin/:who', admin).use(answerError);
  const server = await listen(app);
  const paths = ['/api/acme/orders', '/api/acme%20x/orders/7?x=/y', '/api/items/orders/7/items/8'];
  paths.push('/api/acme/orders/7/items/8/fail', '/a/items/items/8', '/c/vx/items/8/fail');
  paths.push('/admin/alice/orders/8');
  for (const path of paths) await (await fetch(`http://localhost:${server.port}${path}`)).text();
  await server.close();
  await until(() => watchdog.stats().scopes === 0);
  const names = (await watchdog.check()).flatMap(({ scopes }) => scopes.map(({ scope }) => scope));
  expect(names.sort()).toEqual([
    'GET /a/:b/items/:item',
    'GET /admin/:who/orders/:order',
    'GET /api/:tenant/orders',
    'GET /api/:tenant/orders/:order',
    'GET /api/:tenant/orders/:order/items/:item',
    'GET /api/:tenant/orders/:order/items/:item/fail',
    'GET /c/v:version/items/:item/fail',
  ]);
  await pool.close({ graceMillis: 0, force: true });
});

/** A request whose route is in a router, which is mounted by a layer of another version of Express. */
function mountedBy(layer: object, originalUrl: string): object {
  const route = { path: '/:id' };
  const router = Object.assign(() => {}, { stack: [{ route }] });
  const app = { _router: { stack: [{ handle: () => {} }, { ...layer, handle: router }] } };
  return { route, app, originalUrl, baseUrl: '/given/by/express' };
}

const EXPRESS_4 = {
  regexp: /^\/api\/(?:([^/]+?))\/orders\/?(?=\/|$)/i,
  keys: [{ name: 'tenant', optional: false, offset: 6 }],
};
const matchers = (params: object) => [
  (path: string) =>
    path.startsWith('/api/a%20b/orders') ? { path: '/api/a%20b/orders', params } : false,
];

test.each<[string, object, string, string]>([
  ['Express 4', EXPRESS_4, '/api/a%20b/orders/7?x=1', '/api/:tenant/orders/:id'],
  [
    'Express 4, at /',
    { regexp: Object.assign(/x/, { fast_slash: true }) },
    '/7',
    '/given/by/express/:id',
  ],
  [
    'router 2.0',
    { matchers: matchers({ tenant: 'a b' }) },
    '/api/a%20b/orders/7',
    '/api/:tenant/orders/:id',
  ],
  [
    'a value that is no segment',
    { matchers: matchers({ tenant: 'a' }) },
    '/api/a%20b/orders/7',
    '/…/:id',
  ],
  [
    'an optional value that is not there',
    { matchers: matchers({ x: undefined }) },
    '/api/a%20b/orders/7',
    '/api/a%20b/orders/:id',
  ],
  ['a path that the layer does not match', EXPRESS_4, '/other/7', '/given/by/express/:id'],
  ['a layer without a path', {}, '/api/x/orders/7', '/given/by/express/:id'],
])('express: the path of a mount of another version: %s', (_version, layer, url, path) => {
  using watchdog = new Watchdog();
  const opened: OpenScope[] = [];
  const openScope = (name: string): OpenScope => {
    const scope = watchdog.openScope(name);
    opened.push(scope);
    return scope;
  };
  const response = new EventEmitter();
  const request = { method: 'GET', headers: {}, url, ...mountedBy(layer, url) };
  expressScopes({ openScope })(request, response, () => {});
  response.emit('close');
  expect(opened.map(({ name }) => name)).toEqual([`GET ${path}`]);
});

test.each<[string, (next: () => void) => unknown]>([
  ['() => next()', (next) => next()],
  ['async () => next()', async (next) => next()],
  [
    'async () => { next(); }',
    async (next) => {
      next();
    },
  ],
])(
  'express: a middleware around %s finds the leak of an exhausted pool, and accuses no healthy request',
  async (_text, body) => {
    allowLeaks();
    using watchdog = new Watchdog({ level: 'advanced' });
    const pool = createPool(
      { create: () => ({}), destroy: () => {} },
      { name: 'db', max: 5, acquireTimeoutMillis: 500 },
    );
    watchdog.watch(pool);
    const gate = new Gate();
    const app = express();
    app.use((request, _response, next) => {
      void watchdog.scope(`${request.method} ${request.path}`, () => body(next));
    });
    app.get('/healthy', async (_request, response) => {
      response.send(await pool.use(() => 'fine'));
    });
    app.get('/slow', async (_request, response) => {
      response.send(await pool.use(() => gate.passed.then(() => 'slow')));
    });
    app.get('/leaks', async (_request, response) => {
      await pool.lease();
      response.send('leaked');
    });
    app.use(answerError);
    const server = await listen(app);
    const get = async (path: string): Promise<number> =>
      (await fetch(`http://localhost:${server.port}${path}`)).status;

    await Promise.all(Array.from({ length: 100 }, () => get('/healthy')));
    const slow = get('/slow');
    await until(() => pool.borrowed === 1);
    expect(formatReport(await watchdog.check())).toBe('NO LEAKS'); // One request is in flight.
    gate.open();
    expect(await slow).toBe(200);
    expect(formatReport(await watchdog.check())).toBe('NO LEAKS');

    for (let i = 0; i < 5; i++) expect(await get('/leaks')).toBe(200);
    expect(await get('/healthy')).toBe(500); // The pool is exhausted.
    const reports = await watchdog.check();
    expect(reports).toMatchObject([{ rule: 'orphaned', count: 5, scope: 'GET /leaks' }]);
    expect(formatReport(reports)).toContain('test/integrations/http/express.test.ts');
    expect(formatReport(reports)).toContain('use `expressScopes(watchdog)`');
    await server.close();
    await pool.close({ graceMillis: 0, force: true });
  },
);
