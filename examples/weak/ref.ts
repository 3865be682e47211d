/** A weak reference that tells of the death of its target. */
import { type Ref, ref, refsOf, wasCollected } from 'tenure/weak';

let weak: Ref<object> | undefined;
const gone = await wasCollected(() => {
  const session = { user: 'ada' };
  weak = ref<object>(session, () => console.log('the session is gone'));
  console.log(refsOf(session).length);
  return session;
});
console.log(gone, weak?.deref());

// prints:
// 1
// the session is gone
// true undefined
