/** Disposables that are replaced from time to time. */
import { DisposableMap, MutableDisposable } from 'tenure/scope';

const watcher = (path: string) => ({
  [Symbol.dispose]: () => console.log(`unwatch ${path}`),
});
{
  using current = new MutableDisposable();
  current.value = watcher('a.json');
  current.value = watcher('b.json');
  using open = new DisposableMap<string, Disposable>();
  open.set('c', watcher('c.json'));
}

// prints:
// unwatch a.json
// unwatch c.json
// unwatch b.json
