/**
 * A scope of a watchdog for each request of Fastify, by one line: `app.register(fastifyScopes(watchdog))`.
 *
 * @module
 */
import type { OpenScope } from '../watchdog/open-scope.js';
import {
  type HttpRequest,
  type HttpResponse,
  type RequestScopeOptions,
  RequestScopes,
  type ScopeOpener,
} from './http/request-scopes.js';

export type { HttpRequest, HttpResponse, RequestScopeOptions, ScopeOpener };

/** The part of a request of Fastify that is used. */
export interface ScopedRequest {
  /** The request of `node:http`. */
  readonly raw: HttpRequest;
  /** The method, as `GET`. */
  readonly method: string;
  /** The path with the query. */
  readonly url: string;
  /** The route; without `url` if no route was found. */
  readonly routeOptions: {
    /** The path of the route. */
    readonly url?: string | undefined;
  };
}

/** The part of a reply of Fastify that is used. */
export interface ScopedReply {
  /** The response of `node:http`. */
  readonly raw: HttpResponse;
}

/** A hook of Fastify with a callback. */
type Hook = (request: never, reply: never, done: () => void) => void;

/** The part of a Fastify server that is used. */
export interface HookedServer {
  /** Adds a hook. */
  // biome-ignore lint/suspicious/noExplicitAny: Fastify has an overload for each hook, and no other type accepts them all.
  addHook(name: any, hook: any): unknown;
}

/** A plugin of Fastify. */
export type ScopePlugin = (app: HookedServer, options: unknown, done: () => void) => void;

/**
 * Makes a plugin of Fastify 4 or 5: each request is a scope, which ends when its response is closed. The name of the scope is the route, as
 * in `GET /orders/:id`. The plugin is not encapsulated: it serves the whole server. Register it before other plugins.
 *
 * A loan that a hook or a handler takes has to be released before the response is closed: sent, aborted by the client, or failed.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option, or for a watchdog that is
 * none.
 *
 * @example
 * ```ts
 * import fastify from 'fastify';
 * import { fastifyScopes } from 'tenure/integrations/fastify';
 * import { createPool } from 'tenure/pool';
 * import { Watchdog } from 'tenure/watchdog';
 *
 * using watchdog = new Watchdog();
 * const pool = createPool({ create: () => ({}), destroy: () => {} }, { name: 'db' });
 * watchdog.watch(pool);
 *
 * const app = fastify();
 * app.register(fastifyScopes(watchdog));
 * app.get('/orders/:id', async () => {
 *   await pool.lease(); // Never released.
 *   return 'order';
 * });
 * await (await fetch(`${await app.listen()}/orders/17`)).text();
 * await app.close();
 *
 * const [leak] = await watchdog.check();
 * leak?.scope; // => 'GET /orders/:id'
 * await pool.close({ graceMillis: 0, force: true });
 * ```
 */
export function fastifyScopes<
  Request extends ScopedRequest = ScopedRequest,
  Reply extends ScopedReply = ScopedReply,
>(watchdog: ScopeOpener, options: RequestScopeOptions<Request, Reply> = {}): ScopePlugin {
  const scopes = new RequestScopes('fastifyScopes', watchdog, options);
  const open = (request: Request, reply: Reply, done: () => void): void => {
    if (scopes.ignores(request)) {
      done();
      return;
    }
    const route = (): string | undefined => fastifyName(request);
    scopes.open(request, reply, request.raw, reply.raw, route).run(done);
  };
  /** Enters the scope again: a parser of bodies calls back in the context of the connection. */
  const enterAgain = (request: Request, _reply: Reply, done: () => void): void => {
    const scope: OpenScope | undefined = scopes.scopeOf(request.raw);
    if (scope === undefined) done();
    else scope.run(done);
  };
  const plugin: ScopePlugin = (app, _options, done) => {
    app.addHook('onRequest', open satisfies Hook as unknown);
    app.addHook('preValidation', enterAgain satisfies Hook as unknown);
    done();
  };
  return Object.assign(plugin, {
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: 'tenure',
  });
}

/** The method and the route that Fastify has found; `undefined` without a route. */
function fastifyName({ method, routeOptions }: ScopedRequest): string | undefined {
  const url = routeOptions?.url;
  return url === undefined ? undefined : `${method} ${url}`;
}
