/**
 * Which line eats my memory? A service for orders that leaks in one of three steps. `npx tsx examples/profile/which-line.ts`
 * prints a row for each step; the step that keeps each order says LEAKS.
 */
import { pathToFileURL } from 'node:url';
import { type MemoryReport, markMemory, profileMemory } from 'tenure/profile';

interface Order {
  readonly id: number;
  readonly lines: readonly string[];
}

class OrderService {
  readonly #totals = new Map<string, number>();
  readonly #audit: string[] = [];

  /** Handles one order. Marks stay in the code: they do nothing outside a profile. */
  async handle(body: string): Promise<number> {
    const order = JSON.parse(body) as Order;
    await markMemory('parsed');
    const customer = `customer ${order.id % 5}`;
    this.#totals.set(customer, (this.#totals.get(customer) ?? 0) + order.lines.length);
    await markMemory('counted');
    this.#audit.push(`${body} `.trimEnd()); // The leak: the log is never written out and cleared.
    await markMemory('logged');
    return order.lines.length;
  }
}

/** Profiles 20 orders, and gives the report. */
export async function profileOrders(): Promise<MemoryReport> {
  const service = new OrderService();
  const { report } = await profileMemory('orders', async () => {
    for (let id = 0; id < 20; id++) {
      const lines = Array.from({ length: 40 }, (_, i) => `line ${i} of order ${id}`);
      await service.handle(JSON.stringify({ id, lines }));
    }
  });
  return report;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  console.log(String(await profileOrders()));
}
