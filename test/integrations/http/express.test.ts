import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import express, { type ErrorRequestHandler } from 'express';
import { expect, test } from 'vitest';
import { expressScopes } from '../../../src/integrations/express.js';
import { createPool } from '../../../src/pool/index.js';
import { allowLeaks } from '../../../src/testing/index.js';
import { formatReport, Watchdog } from '../../../src/watchdog/index.js';
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
