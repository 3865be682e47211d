/** A class with close(), and an action for the objects that no code has closed. */
import { type Cleanable, Cleaner, wasCollected } from 'tenure/weak';

const cleaner = new Cleaner();
const closeDescriptor = (descriptor: number) => console.log(`close ${descriptor}`);

class Descriptor {
  readonly #cleanable: Cleanable;

  constructor(descriptor: number) {
    this.#cleanable = cleaner.register(this, closeDescriptor, descriptor);
  }

  close(): void {
    this.#cleanable.clean();
  }
}

const file = new Descriptor(7);
file.close();
file.close();
console.log(await wasCollected(() => new Descriptor(8)));

// prints:
// close 7
// close 8
// true
