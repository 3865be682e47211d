/** Data of sessions that can be listed. The data may refer to the session, and dies with it all the same. */
import { IterableWeakMap, wasCollected } from 'tenure/weak';

const visits = new IterableWeakMap<{ user: string }, { of: object; count: number }>();
const ada = { user: 'ada' };
visits.set(ada, { of: ada, count: 3 });
const gone = await wasCollected(() => {
  const bob = { user: 'bob' };
  visits.set(bob, { of: bob, count: 1 });
  return bob;
});
console.log(gone, visits.size);
for (const [{ user }, { count }] of visits) console.log(user, count);

// prints:
// true 1
// ada 3
