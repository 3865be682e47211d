/** HTTP/2, by the compatibility API of node:http2: many streams share one connection, and a body needs no `content-length`. */
import { once } from 'node:events';
import { type ClientHttp2Session, connect, createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import { expect, test } from 'vitest';
import { expressScopes } from '../../../src/integrations/express.js';
import { fastifyScopes } from '../../../src/integrations/fastify.js';
import { createPool } from '../../../src/pool/index.js';
import { allowLeaks } from '../../../src/testing/index.js';
import { Watchdog } from '../../../src/watchdog/index.js';
import { Gate } from '../../kit/gate.js';
import { until } from '../../kit/until.js';

const factory = { create: () => ({}), destroy: () => {} };

async function answer(client: ClientHttp2Session, path: string, body?: string): Promise<number> {
  const method = body === undefined ? 'GET' : 'POST';
  const stream = client.request(
    { ':path': path, ':method': method },
    { endStream: body === undefined },
  );
  stream.end(body);
  const [headers] = await once(stream, 'response');
  stream.resume();
  await once(stream, 'close');
  return headers[':status'];
}

test('the scopes of Fastify end with the streams of HTTP/2: sent, thrown, aborted and destroyed', async () => {
  using watchdog = new Watchdog({ graceMillis: 0 });
  await using pool = createPool(factory);
  watchdog.watch(pool);
  const gate = new Gate();
  const app = fastify({ http2: true });
  app.register(fastifyScopes(watchdog));
  app.get('/sent', () => pool.use(() => 'sent'));
  app.get('/thrown', () => pool.use(() => Promise.reject(new Error('thrown'))));
  app.get('/held', () => pool.use(() => gate.passed));
  app.get('/destroyed', (_, reply) => {
    reply.hijack();
    reply.raw.stream.destroy();
  });
  await app.listen();
  const client = connect(`http://localhost:${(app.server.address() as AddressInfo).port}`);
  const statuses = await Promise.all([
    ...Array.from({ length: 20 }, () => answer(client, '/sent')),
    answer(client, '/thrown'),
  ]);
  expect([...new Set(statuses)]).toEqual([200, 500]);
  const cut = client.request({ ':path': '/destroyed' }).on('error', () => {});
  await once(cut, 'close');
  const held = client.request({ ':path': '/held' });
  await until(() => watchdog.stats().scopes === 1);
  held.close();
  await until(() => watchdog.stats().scopes === 0);
  gate.open();
  await until(() => pool.borrowed === 0);
  expect(await watchdog.check()).toEqual([]);
  client.close();
  await app.close();
});

test('a loan that a handler takes behind a body of HTTP/2 belongs to the request', async () => {
  allowLeaks();
  using watchdog = new Watchdog({ graceMillis: 0 });
  const pool = createPool(factory);
  watchdog.watch(pool);
  const scopes = expressScopes(watchdog);
  const server = createServer((request, response) => {
    scopes(request, response, () => {
      request.resume().on('end', async () => {
        await pool.lease();
        response.end();
      });
    });
  });
  server.listen(0);
  await once(server, 'listening');
  const client = connect(`http://localhost:${(server.address() as AddressInfo).port}`);
  expect(await answer(client, '/orders', 'x')).toBe(200);
  expect(await watchdog.check()).toMatchObject([{ rule: 'orphaned', scope: 'POST /orders' }]);
  client.close();
  server.close();
  await pool.close({ graceMillis: 0, force: true });
});
