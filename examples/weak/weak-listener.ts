/** A view that listens to a long-lived emitter, which does not keep the view alive. */
import { EventEmitter } from 'node:events';
import { wasCollected, weakListener } from 'tenure/weak';

const prices = new EventEmitter();
const show = (view: { name: string }, price: number) => console.log(view.name, price);
const chart = { name: 'chart' };
weakListener(chart, prices, 'price', show);
const gone = await wasCollected(() => {
  const popup = { name: 'popup' };
  weakListener(popup, prices, 'price', show);
  prices.emit('price', 12);
  return popup;
});
console.log(gone);
prices.emit('price', 13);

// prints:
// chart 12
// popup 12
// true
// chart 13
