/**
 * A scope of a watchdog for each request of Express, by one line: `app.use(expressScopes(watchdog))`.
 *
 * @module
 */
import { expressName } from '../watchdog/express-name.js';
import {
  type HttpRequest,
  type HttpResponse,
  type RequestScopeOptions,
  RequestScopes,
  type ScopeOpener,
} from './http/request-scopes.js';

export type { HttpRequest, HttpResponse, RequestScopeOptions, ScopeOpener };

/** A middleware of Express, Connect and Restify. */
export type ScopeMiddleware<Request, Response> = (
  request: Request,
  response: Response,
  next: (error?: unknown) => void,
) => void;

/**
 * Makes a middleware of Express 4 or 5: each request is a scope, which ends when its response is closed. The name of the scope is the
 * route, as in `GET /orders/:id`. Put it before the other middleware.
 *
 * A loan that a handler takes has to be released before the response is closed: sent, aborted by the client, or failed. An error of a
 * handler goes to Express as before.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option, or for a watchdog that is
 * none.
 *
 * @example
 * ```ts
 * import { once } from 'node:events';
 * import type { AddressInfo } from 'node:net';
 * import express from 'express';
 * import { expressScopes } from 'tenure/integrations/express';
 * import { createPool } from 'tenure/pool';
 * import { Watchdog } from 'tenure/watchdog';
 *
 * using watchdog = new Watchdog();
 * const pool = createPool({ create: () => ({}), destroy: () => {} }, { name: 'db' });
 * watchdog.watch(pool);
 *
 * const app = express();
 * app.use(expressScopes(watchdog));
 * app.get('/orders/:id', async (_request, response) => {
 *   await pool.lease(); // Never released.
 *   response.set('connection', 'close').send('order');
 * });
 * const server = app.listen(0);
 * await once(server, 'listening');
 * await (await fetch(`http://localhost:${(server.address() as AddressInfo).port}/orders/17`)).text();
 * server.close();
 * await once(server, 'close');
 *
 * const [leak] = await watchdog.check();
 * leak?.scope; // => 'GET /orders/:id'
 * await pool.close({ graceMillis: 0, force: true });
 * ```
 */
export function expressScopes<
  Request extends HttpRequest = HttpRequest,
  Response extends HttpResponse = HttpResponse,
>(
  watchdog: ScopeOpener,
  options: RequestScopeOptions<Request, Response> = {},
): ScopeMiddleware<Request, Response> {
  const scopes = new RequestScopes('expressScopes', watchdog, options);
  return (request, response, next) => {
    // A router that uses the middleware a second time adds no second scope.
    if (scopes.scopeOf(request) !== undefined || scopes.ignores(request)) {
      next();
      return;
    }
    const route = (): string | undefined => expressName(request);
    scopes.open(request, response, request, response, route).run(() => next());
  };
}
