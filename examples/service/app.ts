/** The orders service: Fastify over a pool of Postgres connections. A watchdog watches everything that the service owns. */
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

/** Finds one order. The demo has a version with a leak and one without. */
export type FindOrder = (
  db: Database,
  findProduct: ProductLookup,
  id: number,
) => Promise<Order | undefined>;

/** A route whose parameter is the id of a record. */
interface WithId {
  readonly Params: { readonly id: number };
}

/** Fastify answers 400 if the id is not a number that the column can have. */
const WITH_ID = {
  params: {
    type: 'object',
    properties: { id: { type: 'integer', minimum: 1, maximum: 2 ** 31 - 1 } },
  },
} as const;

export function createApp(db: Database, watchdog: Watchdog, findOrder: FindOrder) {
  const app = Fastify();

  const findProduct = memoize((id: number) => db.use((client) => selectProduct(client, id)), {
    name: 'products',
    max: 1_000,
    ttl: 60_000,
  });

  // Concurrent requests share one object per customer. V8 may collect it when the last of them has ended.
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

  app.get<WithId>('/orders/:id', { schema: WITH_ID }, async (request, reply) => {
    const order = await findOrder(db, findProduct, request.params.id);
    return order ?? reply.code(404).send({ error: 'no such order' });
  });

  app.get<WithId>('/products/:id', { schema: WITH_ID }, async (request, reply) => {
    const product = await findProduct(request.params.id);
    return product ?? reply.code(404).send({ error: 'no such product' });
  });

  app.get<WithId>('/customers/:id/orders', { schema: WITH_ID }, async (request, reply) => {
    const customer = await findCustomer(request.params.id);
    if (customer === undefined) return reply.code(404).send({ error: 'no such customer' });
    const orders = await db.use((client) => selectOrdersOf(client, customer.id));
    return { customer, orders };
  });

  return { app, findProduct, customers };
}

/** A request must have given back its loans when its handler is done. */
function scopeEachRequest(app: FastifyInstance, watchdog: Watchdog): void {
  app.addHook('onRoute', (route) => {
    const { handler } = route;
    const name = `${String(route.method)} ${route.url}`;
    route.handler = function (request, reply) {
      return watchdog.scope(name, () => handler.call(this, request, reply));
    };
  });
}

/** An exhausted pool is an overload: it answers 503 at once, without a hang and without a stack trace. */
function answerFailuresClearly(app: FastifyInstance): void {
  app.setErrorHandler((error, _request, reply) => {
    if (error instanceof PoolError) {
      return reply.code(503).header('retry-after', '1').send({ error: error.code });
    }
    if (error instanceof Error && 'validation' in error) {
      return reply.code(400).send({ error: error.message });
    }
    app.log.error(error);
    return reply.code(500).send({ error: 'internal error' });
  });
}
