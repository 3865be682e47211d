/** A connection that all requests share, opened for the first and closed after the last. */
import { setImmediate } from 'node:timers/promises';
import { RefCounted } from 'tenure/scope';

{
  await using connection = new RefCounted(async () => {
    console.log('open');
    await setImmediate();
    return {
      query: (sql: string) => `rows of ${sql}`,
      async [Symbol.asyncDispose]() {
        await setImmediate();
        console.log('closed');
      },
    };
  });
  const request = async (sql: string) => {
    using lease = await connection.acquire();
    console.log(lease.value.query(sql));
  };
  await Promise.all([request('select 1'), request('select 2')]);
}
console.log('done');

// prints:
// open
// rows of select 1
// rows of select 2
// closed
// done
