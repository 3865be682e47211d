/** An object whose finalizer must not run before the operation is over. */
import { finalize, keepAlive } from 'tenure/weak';

const closeDescriptor = (descriptor: number) => console.log(`close ${descriptor}`);
const file = { descriptor: 7 };
const close = finalize(file, closeDescriptor, file.descriptor);
const { descriptor } = file;
await Promise.resolve();
console.log(`read ${descriptor}`); // Without the fence, V8 may collect the file before this line.
keepAlive(file);
close();

// prints:
// read 7
// close 7
