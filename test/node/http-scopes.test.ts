import { once } from 'node:events';
import { createServer, request as httpRequest, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import express from 'express';
import Fastify from 'fastify';
import { expect, test } from 'vitest';
import { type HttpScopeOptions, httpScopes } from '../../src/node/index.js';
import { createPool } from '../../src/pool/index.js';
import { type LeakReport, Watchdog } from '../../src/watchdog/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gate } from '../kit/gate.js';
import { until } from '../kit/until.js';

/** A server whose requests are scopes, and a pool that they lose resources of. */
async function serve(listener: RequestListener, options: HttpScopeOptions = {}) {
  const watchdog = new Watchdog({ level: 'advanced', graceMillis: 1_000 });
  const scopes = httpScopes(watchdog, options);
  const server = createServer(listener);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    watchdog,
    scopes,
    server,
    at: `http://127.0.0.1:${portOf(server)}`,
    async get(path: string): Promise<string> {
      return (await fetch(`http://127.0.0.1:${portOf(server)}${path}`)).text();
    },
    /** The leaks, once all requests have ended. */
    async leaks(): Promise<LeakReport[]> {
      await until(() => watchdog.stats().scopes === 0);
      return watchdog.check();
    },
    async [Symbol.asyncDispose](): Promise<void> {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      scopes[Symbol.dispose]();
      watchdog[Symbol.dispose]();
    },
  };
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function watchedPool(watchdog: Watchdog) {
  const pool = createPool({ create: () => ({}), destroy: () => {} }, { name: 'db', max: 1_000 });
  watchdog.watch(pool);
  return Object.assign(pool, {
    [Symbol.asyncDispose]: () => pool.close({ graceMillis: 0, force: true }),
  });
}

/** How many loans each scope has lost, under whatever rule: V8 may have proved some of the losses already. */
function scopesOf(leaks: readonly LeakReport[]): string[] {
  const counts = new Map<string, number>();
  for (const { scope, count } of leaks.flatMap(({ scopes }) => scopes)) {
    counts.set(scope, (counts.get(scope) ?? 0) + count);
  }
  return [...counts].map(([scope, count]) => `${scope} ×${count}`).sort();
}

test('a loan that outlives its request is named by the method and the first segment of the path', async () => {
  await using t = await serve(async (request, response) => {
    if (request.url !== '/ok') await pool.lease();
    else await (await pool.lease()).release();
    response.end('done');
  });
  await using pool = watchedPool(t.watchdog);
  for (const path of ['/orders/17?secret=1', '/orders/18', '/ok', '/', '/?q=a/b', '/users']) {
    expect(await t.get(path)).toBe('done');
  }
  expect(scopesOf(await t.leaks())).toEqual(['GET / ×2', 'GET /orders/… ×2', 'GET /users ×1']);
});

test('express: the name is the route, below the path of its router', async () => {
  const app = express();
  const router = express.Router();
  app.get('/orders/:id', (_request, response) => void pool.lease().then(() => response.send('x')));
  router.get(
    '/:name/posts',
    (_request, response) => void pool.lease().then(() => response.send('x')),
  );
  router.get('/', (_request, response) => void pool.lease().then(() => response.send('x')));
  app.use('/users', router);
  await using t = await serve(app);
  await using pool = watchedPool(t.watchdog);
  for (const path of ['/orders/17', '/orders/x', '/users/ann/posts', '/users', '/nowhere/1'])
    await t.get(path);
  expect(scopesOf(await t.leaks())).toEqual([
    'GET /orders/:id ×2',
    'GET /users ×1',
    'GET /users/:name/posts ×1',
  ]);
});

test('express: a route of regular expressions or of several paths is named by its text', async () => {
  const app = express();
  const lose = (_request: unknown, response: { send(body: string): unknown }): void => {
    void pool.lease().then(() => response.send('x'));
  };
  app.get(/^\/files\/(.+)$/, lose);
  app.get(['/a', '/b'], lose);
  await using t = await serve(app);
  await using pool = watchedPool(t.watchdog);
  for (const path of ['/files/1', '/files/2', '/a', '/b']) await t.get(path);
  expect(scopesOf(await t.leaks())).toEqual(['GET /^\\/files\\/(.+)$/ ×2', 'GET /a|/b ×2']);
});

test('express: the middleware and the body parser belong to the request', async () => {
  const app = express();
  app.use(express.json());
  app.use((_request, _response, next) => void pool.lease().then(() => next()));
  app.post('/orders', (_request, response) => void pool.lease().then(() => response.send('x')));
  await using t = await serve(app);
  await using pool = watchedPool(t.watchdog);
  await fetch(`${t.at}/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ big: 'x'.repeat(50_000) }),
  });
  expect(scopesOf(await t.leaks())).toEqual(['POST /orders ×2']);
});

test('fastify: the name is the route', async () => {
  const watchdog = new Watchdog({ level: 'advanced' });
  using _scopes = httpScopes(watchdog);
  await using pool = watchedPool(watchdog);
  const app = Fastify();
  app.get('/orders/:id', async () => {
    await pool.lease();
    return 'x';
  });
  const at = await app.listen({ port: 0, host: '127.0.0.1' });
  await (await fetch(`${at}/orders/17`)).text();
  await app.close();
  expect(scopesOf(await watchdog.check())).toEqual(['GET /orders/:id ×1']);
  watchdog[Symbol.dispose]();
});

test('fastify: a request that a hook answers before its handler is named by its route', async () => {
  using watchdog = new Watchdog({ level: 'advanced', graceMillis: 1_000 });
  using _scopes = httpScopes(watchdog);
  await using pool = watchedPool(watchdog);
  await using app = Fastify();
  app.addHook('preHandler', async (_request, reply) => {
    await pool.lease();
    await reply.code(401).send('who are you?');
  });
  app.get('/orders/:id', async () => 'order');
  const at = await app.listen();
  await (await fetch(`${at}/orders/17`)).text();
  await (await fetch(`${at}/unknown/17`)).text();
  await until(() => watchdog.stats().scopes === 0);
  expect(scopesOf(await watchdog.check())).toEqual(['GET /orders/:id ×1', 'GET /unknown/… ×1']);
});

test.each<[url: string, params: unknown, scope: string]>([
  ['/orders/17/items/a%20b?page=2', { id: '17', item: 'a b' }, 'GET /orders/:id/items/:item ×1'],
  ['/files/a/b', { '*': 'a/b' }, 'GET /files/… ×1'],
  ['/orders/open', {}, 'GET /orders/… ×1'],
  ['/orders/%', { id: 'x' }, 'GET /orders/… ×1'],
])(
  'a router that tells only the parameters of %s, %j: the name is %s',
  async (url, params, scope) => {
    await using t = await serve(async (request, response) => {
      Object.assign(request, { params });
      await pool.lease();
      response.end('order');
    });
    await using pool = watchedPool(t.watchdog);
    await t.get(url);
    expect(scopesOf(await t.leaks())).toEqual([scope]);
  },
);

test('an application puts the route on the request: the name is the route', async () => {
  await using t = await serve(async (request, response) => {
    await pool.lease();
    Object.assign(request, { route: { path: '/orders/{id}' } });
    response.end('order');
  });
  await using pool = watchedPool(t.watchdog);
  await t.get('/orders/17');
  expect(scopesOf(await t.leaks())).toEqual(['GET /orders/{id} ×1']);
});

test('fastify: what is told while a request runs names its route', async () => {
  const watchdog = new Watchdog({ level: 'advanced', graceMillis: 0 });
  using _scopes = httpScopes(watchdog);
  await using pool = watchedPool(watchdog);
  const scopes: (string | undefined)[] = [];
  watchdog.on('leak', ({ scope }) => scopes.push(scope));
  const app = Fastify();
  app.get('/orders/:id', async () => {
    const resource = await pool.acquire();
    await pool.release(resource);
    await pool.release(resource).catch(() => {});
    return [...scopes];
  });
  const at = await app.listen({ port: 0, host: '127.0.0.1' });
  expect(await (await fetch(`${at}/orders/17`)).json()).toEqual(['GET /orders/:id']);
  await app.close();
  watchdog[Symbol.dispose]();
});

test('a request that its client aborts ends its scope, and so does one that fails', async () => {
  const gate = new Gate();
  await using t = await serve(async (request, response) => {
    const lease = await pool.lease();
    if (request.url === '/slow') {
      await gate.passed;
      await lease.release();
    } else response.destroy(new Error('from the handler'));
  });
  await using pool = watchedPool(t.watchdog);
  const slow = httpRequest(`${t.at}/slow`).end();
  slow.on('error', () => {});
  await until(() => pool.borrowed === 1);
  slow.destroy();
  await until(() => t.watchdog.stats().scopes === 0);
  expect(scopesOf(await t.watchdog.check())).toEqual(['GET /slow ×1']);
  gate.open(); // The handler of the aborted request gives its loan back after all.
  await until(() => pool.borrowed === 0);
  expect(await t.watchdog.check()).toEqual([]);
  await expect(t.get('/fails')).rejects.toThrow();
  expect(scopesOf(await t.leaks())).toEqual(['GET /fails ×1']);
});

test('a loan that the listener of a later chunk of the body takes belongs to the request', async () => {
  await using t = await serve((request, response) => {
    request.resume().on('end', () => void pool.lease().then(() => response.end('done')));
  });
  await using pool = watchedPool(t.watchdog);
  const upload = httpRequest(`${t.at}/upload`, { method: 'POST' });
  upload.write('first');
  await until(() => t.watchdog.stats().scopes === 1);
  upload.end('last');
  const [response] = await once(upload, 'response');
  response.resume();
  await once(response, 'end');
  expect(scopesOf(await t.leaks())).toEqual(['POST /upload ×1']);
});

test('requests in one connection, one behind another and at once, have scopes of their own', async () => {
  await using t = await serve(async (request, response) => {
    const lease = await pool.lease();
    if (request.url?.startsWith('/ok') === true) await lease.release();
    response.end('done');
  });
  await using pool = watchedPool(t.watchdog);
  const socket = connect(portOf(t.server), '127.0.0.1');
  const paths = Array.from({ length: 40 }, (_, i) => (i % 4 === 0 ? `/leak${i}` : `/ok${i}`));
  socket.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`).join(''));
  let answers = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    answers += text;
  });
  await until(() => answers.split('done').length === 41);
  socket.destroy();
  const expected = paths.filter((path) => path.startsWith('/leak')).map((path) => `GET ${path} ×1`);
  expect(scopesOf(await t.leaks())).toEqual(expected.sort());
});

test('requests that wait behind another in their connection end their scopes when the client leaves', async () => {
  const gate = new Gate();
  const warnings: Error[] = [];
  const warn = (warning: Error): void => void warnings.push(warning);
  process.on('warning', warn);
  await using t = await serve(async (request, response) => {
    const lease = await pool.lease();
    await gate.passed;
    if (request.url === '/ok') await lease.release();
    response.end('done');
  });
  await using pool = watchedPool(t.watchdog);
  const socket = connect(portOf(t.server), '127.0.0.1');
  const paths = Array.from({ length: 40 }, (_, i) => (i === 39 ? '/leak' : '/ok'));
  socket.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`).join(''));
  await until(() => pool.borrowed === 40);
  socket.destroy();
  await until(() => t.watchdog.stats().scopes === 0);
  gate.open();
  await until(() => pool.borrowed === 1);
  expect(scopesOf(await t.leaks())).toEqual(['GET /leak ×1']);
  process.off('warning', warn);
  expect(warnings).toEqual([]);
});

test('the application may add ten listeners to a response, and the request shows nothing of the scope', async () => {
  const warnings: string[] = [];
  const warn = ({ message }: Error): void => void warnings.push(message);
  process.on('warning', warn);
  const keys: string[][] = [];
  await using t = await serve((request, response) => {
    keys.push(Object.keys(request));
    for (let i = 0; i < 10; i++) response.on('close', () => {});
    request.resume().on('end', () => response.end('done'));
  });
  await (await fetch(t.at, { method: 'POST', body: 'body' })).text();
  await until(() => t.watchdog.stats().scopes === 0);
  process.off('warning', warn);
  expect(warnings).toEqual([]);
  expect(keys).toHaveLength(1);
  expect(keys[0]).not.toContain('emit');
});

test('`name` names a scope at its end, and `ignore` leaves a request without one; what they throw is ignored', async () => {
  const names: Record<string, () => string | undefined> = {
    '/named': () => 'my name',
    '/empty': () => '',
    '/throws': () => {
      throw new Error('from name');
    },
  };
  await using t = await serve(
    async (_request, response) => {
      await pool.lease();
      response.end('done');
    },
    {
      name: ({ url = '' }) => names[url]?.(),
      ignore: ({ url }) => {
        if (url === '/throws') throw new Error('from ignore');
        return url === '/healthz';
      },
    },
  );
  await using pool = watchedPool(t.watchdog);
  for (const path of ['/named', '/empty', '/throws', '/healthz']) await t.get(path);
  expect(scopesOf(await t.leaks())).toEqual(['GET /empty ×1', 'GET /throws ×1', 'my name ×1']);
});

test('after its end no request gets a scope, and two can be active', async () => {
  await using t = await serve(
    (_request, response) =>
      void response.end(`${t.watchdog.stats().scopes} ${other.stats().scopes}`),
  );
  const other = new Watchdog();
  const second = httpScopes(other);
  expect(await t.get('/')).toBe('1 1');
  second[Symbol.dispose]();
  expect(await t.get('/')).toBe('1 0');
  t.scopes[Symbol.dispose]();
  expect(await t.get('/')).toBe('0 0');
});

test('a value that is no watchdog is refused', () => {
  for (const watchdog of [undefined, {}]) {
    expect(() => httpScopes(watchdog as never)).toThrow(
      expect.objectContaining({ code: 'TENURE_INVALID_ARGUMENT' }),
    );
  }
});

test.each([{ nam: () => 'x' }, { name: 'x' }, { ignore: true }, 'x'])(
  'wrong options %o are refused',
  (options) => {
    expect(() => httpScopes(new Watchdog(), options as never)).toThrow(
      expect.objectContaining({ code: 'TENURE_INVALID_ARGUMENT' }),
    );
  },
);

test('a stream of events holds a lease for half an hour, and a request that hangs is a suspect', async () => {
  const clock = new FakeClock();
  using watchdog = new Watchdog({ level: 'advanced', clock });
  using _scopes = httpScopes(watchdog);
  await using pool = watchedPool(watchdog);
  const streams: { send: (event: string) => void; end: () => Promise<void> }[] = [];
  const server = createServer(async (request, response) => {
    const lease = await pool.lease();
    if (request.url === '/events') response.writeHead(200);
    streams.push({
      send: (event) => response.write(event),
      async end() {
        await lease.release();
        response.end();
      },
    });
    if (request.url === '/events') response.write('begin');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const client = connect(portOf(server), '127.0.0.1').setEncoding('utf8');
  const ofHung = connect(portOf(server), '127.0.0.1').resume();
  /** A minute of short requests, in which the stream sends an event. */
  const minute = async (event: string): Promise<LeakReport[]> => {
    for (let i = 0; i < 750; i++) await pool.use(() => {});
    streams[0]?.send(event);
    for await (const chunk of client.iterator({ destroyOnReturn: false })) {
      if (String(chunk).includes(event)) break;
    }
    await clock.advance(60_000);
    return watchdog.check();
  };
  client.write('GET /events HTTP/1.1\r\nhost: a\r\n\r\n');
  await until(() => streams.length === 1);
  for (let i = 0; i < 30; i++) expect(await minute(`event ${i}`)).toEqual([]);
  ofHung.write('GET /hung HTTP/1.1\r\nhost: a\r\n\r\n');
  await until(() => streams.length === 2);
  for (let i = 30; i < 36; i++) await minute(`event ${i}`);
  expect(await minute('last')).toMatchObject([
    { rule: 'tenured', certainty: 'suspect', count: 1, scope: 'GET /hung' },
  ]);
  for (const { end } of streams) await end();
  client.destroy();
  ofHung.destroy();
  server.close();
  await once(server, 'close');
});
