/** A client for each tenant, two at most. A new tenant evicts the client that has been idle for longest. */
import { RefCountedMap } from 'tenure/scope';

await using clients = new RefCountedMap(
  (tenant: string) => {
    console.log(`open ${tenant}`);
    return { tenant, [Symbol.dispose]: () => console.log(`close ${tenant}`) };
  },
  { capacity: 2, idleMillis: 60_000 },
);
for (const tenant of ['a', 'b', 'a', 'c']) {
  using client = await clients.acquire(tenant);
  console.log(`use ${client.value.tenant}`);
}
await clients.close();

// prints:
// open a
// use a
// open b
// use b
// use a
// close b
// open c
// use c
// close a
// close c
