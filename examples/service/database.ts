/** The database of the orders service: its tables, and a pool of raw connections to it. */
import pg from 'pg';
import { createPool, type Pool } from 'tenure/pool';

export type Database = Pool<pg.Client>;

export const CUSTOMERS = 1_000;
export const PRODUCTS = 2_000;
export const ORDERS = 10_000;

/** The schema of the demo. It has one of its own, so that the database of a user is left as it was. */
const SCHEMA = 'tenure_demo';

export function openDatabase(url: string): Database {
  return createPool<pg.Client>(
    {
      async create() {
        const client = new pg.Client({
          connectionString: url,
          options: `-c search_path=${SCHEMA}`,
        });
        client.on('error', () => {}); // `validate` finds an idle connection that breaks.
        await client.connect();
        return client;
      },
      async validate(client) {
        await client.query('select 1');
        return true;
      },
      destroy: (client) => client.end(),
    },
    { name: 'orders-db', max: 10, acquireTimeoutMillis: 250, maxWaitingClients: 100 },
  );
}

/** Creates and fills the tables. Disposing of the result leaves the database as it was. */
export async function createTables(url: string): Promise<AsyncDisposable> {
  await runOnce(
    url,
    `drop schema if exists ${SCHEMA} cascade;
     create schema ${SCHEMA};
     set search_path = ${SCHEMA};
     create table customers (id int primary key, name text not null);
     create table products (id int primary key, name text not null, cents int not null);
     create table orders (
       id int primary key,
       customer_id int not null references customers,
       product_id int not null references products,
       quantity int not null);
     create index on orders (customer_id);
     insert into customers select i, 'Customer ' || i from generate_series(1, ${CUSTOMERS}) i;
     insert into products select i, 'Product ' || i, 100 + i % 900 from generate_series(1, ${PRODUCTS}) i;
     insert into orders
       select i, 1 + i % ${CUSTOMERS}, 1 + (i * 7) % ${PRODUCTS}, 1 + i % 5
       from generate_series(1, ${ORDERS}) i;
     analyze;`,
  );
  return {
    [Symbol.asyncDispose]: () => runOnce(url, `drop schema if exists ${SCHEMA} cascade`),
  };
}

async function runOnce(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
