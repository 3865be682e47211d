/** A context that no code has ended is named by its line. */
import { contextManager, scopeResources } from 'tenure/scope';
import { Watchdog } from 'tenure/watchdog';

using watchdog = new Watchdog();
watchdog.watch(scopeResources);
const lock = contextManager(function* lock() {
  yield;
});
watchdog.scope('job', () => {
  lock(); // Never ended.
});
for (const { rule, scope, site } of await watchdog.check()) {
  console.log(rule, 'in', scope, 'at line', site?.line);
}

// prints:
// orphaned in job at line 11
