/** One live object for each document, which several views show. */
import { WeakValueMap, wasCollected } from 'tenure/weak';

const documents = new WeakValueMap<string, { id: string }>({
  name: 'documents',
  onCollect: (id) => console.log(`${id} is gone`),
});
const open = (id: string) => documents.getOrInsertComputed(id, () => ({ id }));

const report = open('report');
console.log(open('report') === report);
console.log(await wasCollected(() => open('minutes')));
console.log([...documents.keys()]);

// prints:
// true
// minutes is gone
// true
// [ 'report' ]
