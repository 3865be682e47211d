/** Equal points are one object, as long as one of them is in use. */
import { interner } from 'tenure/weak';

const point = interner(({ x, y }: { x: number; y: number }) => `${x},${y}`);
const a = point({ x: 1, y: 2 });
console.log(point({ x: 1, y: 2 }) === a, point({ x: 2, y: 1 }) === a);

// prints:
// true false
