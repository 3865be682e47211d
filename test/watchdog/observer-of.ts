import { type Observer, observe, type Watchdog } from '../../src/watchdog/index.js';

/** The observer of a component that reports its nodes by hand. */
export function observerOf(watchdog: Watchdog): Observer {
  let observer: Observer | undefined;
  watchdog.watch({
    [observe](attached) {
      observer = attached;
      return { kind: 'cache', name: 'results', stats: () => ({}), [Symbol.dispose]() {} };
    },
  });
  return observer as Observer;
}
