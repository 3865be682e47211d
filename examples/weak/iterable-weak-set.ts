/** The users that are online, without keeping them alive. */
import { IterableWeakSet } from 'tenure/weak';

const [ada, bob, eve] = [{ name: 'ada' }, { name: 'bob' }, { name: 'eve' }] as const;
const online = new IterableWeakSet([ada, bob]);
const blocked = new Set([bob, eve]);
const names = (users: Iterable<{ name: string }>) => [...users].map(({ name }) => name).join(' ');
console.log(names(online.difference(blocked)));
console.log(names(online.union(blocked)));
console.log(online.isDisjointFrom(blocked));

// prints:
// ada
// ada bob eve
// false
