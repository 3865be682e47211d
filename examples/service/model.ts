/** The records of the orders service, and the queries that find them. */
import type pg from 'pg';

export interface Product {
  readonly id: number;
  readonly name: string;
  readonly cents: number;
}

export interface Customer {
  readonly id: number;
  readonly name: string;
}

export interface OrderRow {
  readonly id: number;
  readonly productId: number;
  readonly quantity: number;
}

export interface Order extends OrderRow {
  readonly product: Product | undefined;
}

export type ProductLookup = (id: number) => Promise<Product | undefined>;

const ORDER_COLUMNS = 'id, product_id as "productId", quantity';

export async function selectOrder(client: pg.Client, id: number): Promise<OrderRow | undefined> {
  const sql = `select ${ORDER_COLUMNS} from orders where id = $1`;
  return (await client.query<OrderRow>(sql, [id])).rows[0];
}

export async function selectOrdersOf(client: pg.Client, customer: number): Promise<OrderRow[]> {
  const sql = `select ${ORDER_COLUMNS} from orders where customer_id = $1 order by id limit 10`;
  return (await client.query<OrderRow>(sql, [customer])).rows;
}

export async function selectProduct(client: pg.Client, id: number): Promise<Product | undefined> {
  const sql = 'select id, name, cents from products where id = $1';
  return (await client.query<Product>(sql, [id])).rows[0];
}

export async function selectCustomer(client: pg.Client, id: number): Promise<Customer | undefined> {
  const sql = 'select id, name from customers where id = $1';
  return (await client.query<Customer>(sql, [id])).rows[0];
}
