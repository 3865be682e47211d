/** A constructor that collects resources, and keeps them when its last step has succeeded. */
import { DisposableStack } from 'tenure/scope';

class Service implements Disposable {
  readonly #resources: DisposableStack;

  constructor(fail: boolean) {
    using resources = new DisposableStack();
    resources.defer(() => console.log('close log'));
    resources.defer(() => console.log('close socket'));
    if (fail) throw new Error('port in use');
    this.#resources = resources.move();
  }

  [Symbol.dispose](): void {
    this.#resources.dispose();
  }
}

try {
  new Service(true);
} catch (error) {
  console.log((error as Error).message);
}
{
  using _service = new Service(false);
  console.log('serving');
}

// prints:
// close socket
// close log
// port in use
// serving
// close socket
// close log
