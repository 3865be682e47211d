/** A file that is removed when its object is closed, collected, or at exit. The callback cannot reach the object. */
import { finalize, wasCollected } from 'tenure/weak';

const removeFile = (path: string) => console.log(`remove ${path}`);

class TemporaryFile implements Disposable {
  readonly path: string;
  readonly #remove: Disposable;

  constructor(path: string) {
    this.path = path;
    this.#remove = finalize(this, removeFile, path);
  }

  [Symbol.dispose](): void {
    this.#remove[Symbol.dispose]();
  }
}

{
  using file = new TemporaryFile('/tmp/1');
  console.log(`write ${file.path}`);
}
console.log(await wasCollected(() => new TemporaryFile('/tmp/2')));

// prints:
// write /tmp/1
// remove /tmp/1
// remove /tmp/2
// true
