/** The orders service: Fastify over a pool of Postgres connections, with everything it owns under a watchdog. */
import Fastify, { type FastifyInstance } from 'fastify';
import { memoize } from 'tenure/memoize';
import { PoolError } from 'tenure/pool';
import type { Watchdog } from 'tenure/watchdog';
import { WeakValueMap } from 'tenure/weak';
import type { Database } from './database.js';
import {
  type Customer,
  type Order,
  type ProductLookup,
  selectCustomer,
  selectOrdersOf,
  selectProduct,
} from './model.js';

/** Finds one order; the demo has a version that leaks and one that does not. */
export type FindOrder = (
  db: Database,
  findProduct: ProductLookup,
  id: number,
) => Promise<Order | undefined>;

export function createApp(db: Database, watchdog: Watchdog, findOrder: FindOrder) {
  const app = Fastify();

  const findProduct = memoize((id: number) => db.use((client) => selectProduct(client, id)), {
    name: 'products',
    max: 1_000,
    ttl: 60_000,
  });

  // Requests that run at the same time share one object per customer; when the last one has ended, V8 may have it.
  const customers = new WeakValueMap<number, Customer>({ name: 'customers' });
  const findCustomer = async (id: number): Promise<Customer | undefined> => {
    const known = customers.get(id);
    if (known !== undefined) return known;
    const found = await db.use((client) => selectCustomer(client, id));
    if (found !== undefined) customers.set(id, found);
    return found;
  };

  watchdog.watch(db);
  watchdog.watch(findProduct);
  watchdog.watch(customers);
  scopeEachRequest(app, watchdog);
  answerFailuresClearly(app);

  app.get('/healthz', async () => ({ ok: true, pool: db.stats() }));

  app.get<{ Params: { id: string } }>('/orders/:id', async (request, reply) => {
    const order = await findOrder(db, findProduct, Number(request.params.id));
    return order ?? reply.code(404).send({ error: 'no such order' });
  });

  app.get<{ Params: { id: string } }>('/products/:id', async (request, reply) => {
    const product = await findProduct(Number(request.params.id));
    return product ?? reply.code(404).send({ error: 'no such product' });
  });

  app.get<{ Params: { id: string } }>('/customers/:id/orders', async (request, reply) => {
    const customer = await findCustomer(Number(request.params.id));
    if (customer === undefined) return reply.code(404).send({ error: 'no such customer' });
    const orders = await db.use((client) => selectOrdersOf(client, customer.id));
    return { customer, orders };
  });

  return { app, findProduct, customers };
}

/** What a request leases has to be back when its handler is done. */
function scopeEachRequest(app: FastifyInstance, watchdog: Watchdog): void {
  app.addHook('onRoute', (route) => {
    const { handler } = route;
    const name = `${String(route.method)} ${route.url}`;
    route.handler = function (request, reply) {
      return watchdog.scope(name, () => handler.call(this, request, reply));
    };
  });
}

/** A pool that has run dry is an overload: 503 at once, not a hang, and not our stack trace. */
function answerFailuresClearly(app: FastifyInstance): void {
  app.setErrorHandler((error, _request, reply) => {
    if (error instanceof PoolError) {
      return reply.code(503).header('retry-after', '1').send({ error: error.code });
    }
    app.log.error(error);
    return reply.code(500).send({ error: 'internal error' });
  });
}
