/** The async context of the package's own work, which may outlive the request that has caused it. */
import { emptyAsyncContext, type RunInContext } from './async-context.js';

/**
 * Calls its argument outside of all requests. Each timer holds the AsyncLocalStorage context in which it was set, and in Node 22 and
 * earlier each promise that in which it was made. A lasting one would keep the request of its first caller alive.
 */
export const runInOwnContext: RunInContext = /* @__PURE__ */ emptyAsyncContext();
