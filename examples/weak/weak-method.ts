/** A method that is handed out without its object. */
import { weakMethod } from 'tenure/weak';

class Chart {
  drawn = 0;
  draw(times: number): void {
    this.drawn += times;
  }
}
const chart = new Chart();
const draw = weakMethod(chart, 'draw');
draw.deref()?.(2);
console.log(chart.drawn, draw.deref()?.name);

// prints:
// 2 bound draw
