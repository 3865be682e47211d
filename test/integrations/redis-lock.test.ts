/** The lock over a client of Redis whose answers a busy event loop works on. */
import { expect, test } from 'vitest';
import { redisLock } from '../../src/integrations/redis.js';
import { FakeClock } from '../kit/fake-clock.js';
import { settle } from '../kit/settle.js';

test('a busy event loop is not taken for a Redis that gives no answers', async () => {
  const clock = new FakeClock();
  const answers: (() => void)[] = [];
  const client = {
    status: 'ready',
    eval: () => new Promise<number>((resolve) => answers.push(() => resolve(1))),
    publish: async () => 0,
    duplicate: (): never => expect.unreachable(),
  };
  const lock = redisLock(client, { clock, leaseMillis: 3_600_000 });
  const work = async (): Promise<void> => {
    for (const answer of answers.splice(0)) {
      answer();
      clock.jump(100); // What the answer has the event loop do.
      await settle();
      await clock.advance(0);
    }
  };
  const acquired = Array.from({ length: 50 }, (_, name) =>
    lock.acquire(`lock ${name}`, { ask: (request) => request() }),
  );
  await work();
  const leases = await Promise.all(acquired);
  const released = Promise.all(leases.map((lease) => lease.release()));
  await work();
  await released;
});
