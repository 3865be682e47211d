/**
 * A scope for each HTTP request, without a line of the application.
 *
 * ```
 *   http.server.request.start ──▶ open, enter ──▶ handlers ──▶ 'close' of the response ──▶ rename to the route of Express, end
 *                     hook of fastify ──▶ rename to the route
 * ```
 *
 * The response of a pipelined request emits no `'close'` if the client leaves before its turn: its scope ends with the connection.
 *
 * Node publishes the channel before it emits `'request'`, in the async context of that event. The channel
 * `http.server.response.finish` is of no use: it is not published for a response that is aborted. `upgrade` and `CONNECT`
 * requests, and HTTP/2, have no such channel and no scope.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { channel } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { guardedCall } from '../core/guarded-call.js';
import { makeRoomForListener } from '../core/make-room-for-listener.js';
import { OpenResponses } from '../core/open-responses.js';
import {
  aFunction,
  checkArgument,
  type OptionTable,
  objectWith,
  optional,
  resolveOptions,
} from '../core/options.js';
import { expressName } from '../watchdog/express-name.js';
import type { OpenScope } from '../watchdog/open-scope.js';
import { paramsName } from '../watchdog/params-name.js';
import { emitWithin, openRequestScope, type ScopeOpener } from '../watchdog/request-scope.js';

export type { ScopeOpener };

/** Options of {@link httpScopes}. */
export interface HttpScopeOptions {
  /**
   * Gives the name of a request's scope when its response has been sent. Give the route and not the URL. A result that is no
   * string, or is empty, leaves the default.
   *
   * @default the method and the route of Express, Fastify or Polka; else the method and the first segment of the path
   */
  readonly name?: (request: IncomingMessage, response: ServerResponse) => string | undefined;
  /** Whether a request gets no scope, such as a health check or a stream that never ends. @default every request gets one */
  readonly ignore?: (request: IncomingMessage) => boolean;
}

interface Settings {
  readonly name: HttpScopeOptions['name'] | undefined;
  readonly ignore: HttpScopeOptions['ignore'] | undefined;
}

const OPTIONS: OptionTable<Settings> = { name: optional(aFunction), ignore: optional(aFunction) };

/** What Node publishes at the start of a request. */
interface RequestStart {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** What Fastify 5 publishes when it calls a handler. */
interface FastifyStart {
  readonly reply?: FastifyReply;
  readonly route?: { readonly url?: unknown };
}

interface FastifyReply {
  readonly raw?: ServerResponse;
}

interface FastifyRequest {
  /** Fastify 5, and 4 since 4.10. */
  readonly routeOptions?: { readonly url?: unknown };
  /** Fastify 4. */
  readonly routerPath?: unknown;
}

/** What Fastify publishes when a server is made. */
interface FastifyMade {
  readonly fastify?: {
    addHook(
      name: 'onRequest',
      hook: (request: FastifyRequest, reply: FastifyReply, done: () => void) => void,
    ): unknown;
  };
}

/**
 * Opens a scope for each HTTP request of the process. It ends when the response is closed: sent, or aborted by the client. Its
 * name is the route of Express, Fastify or Polka, where there is one. The scopes end with the result, or with the watchdog.
 *
 * Costs about 4 µs of processor time for each request. An error that an option throws is printed and ignored.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a value that is no watchdog, and for an unknown or malformed
 * option.
 *
 * @example
 * ```ts
 * import { once } from 'node:events';
 * import { createServer } from 'node:http';
 * import type { AddressInfo } from 'node:net';
 * import { httpScopes } from 'tenure/node';
 * import { createPool } from 'tenure/pool';
 * import { Watchdog } from 'tenure/watchdog';
 *
 * using watchdog = new Watchdog();
 * using scopes = httpScopes(watchdog);
 * const pool = createPool({ create: () => ({}), destroy: () => {} }, { name: 'db' });
 * watchdog.watch(pool);
 *
 * const server = createServer(async (_request, response) => {
 *   await pool.lease(); // Never released.
 *   response.setHeader('connection', 'close').end('orders');
 * });
 * await once(server.listen(0), 'listening');
 * await (await fetch(`http://localhost:${(server.address() as AddressInfo).port}/orders/17`)).text();
 * server.close();
 * await once(server, 'close');
 *
 * const [leak] = await watchdog.check();
 * leak?.scope; // => 'GET /orders/…'
 * await pool.close({ graceMillis: 0, force: true });
 * ```
 */
export function httpScopes(watchdog: ScopeOpener, options: HttpScopeOptions = {}): Disposable {
  checkArgument('httpScopes', 'watchdog', watchdog, objectWith('openScope'));
  return followRequests(watchdog, resolveOptions<Settings>('httpScopes', options, OPTIONS));
}

/** Chooses the requests that are scopes, for a service that is too busy for a scope each. */
export interface RequestChoice {
  /** Whether the next request is a scope. */
  isDue(): boolean;
  /** Called with each request that is none. */
  passed(): void;
}

/** Opens a scope for each HTTP request of the process that is chosen. */
export function chosenHttpScopes(watchdog: ScopeOpener, choice: RequestChoice): Disposable {
  return followRequests(watchdog, { name: undefined, ignore: undefined }, choice);
}

function followRequests(
  watchdog: ScopeOpener,
  settings: Settings,
  choice?: RequestChoice,
): Disposable {
  const requests = new RequestScopes(watchdog, settings, choice);
  const starts = channel('http.server.request.start');
  const fastifyStarts = channel('tracing:fastify.request.handler:start');
  const fastifyServers = channel('fastify.initialization');
  const started = (message: unknown): void => requests.started(message as RequestStart);
  const routed = (message: unknown): void => {
    const { reply, route } = message as FastifyStart;
    requests.routed(reply?.raw, route?.url);
  };
  const made = (message: unknown): void => requests.followServer(message as FastifyMade);
  starts.subscribe(started);
  fastifyStarts.subscribe(routed); // Of a server that was made before.
  fastifyServers.subscribe(made);
  return {
    [Symbol.dispose]() {
      starts.unsubscribe(started);
      fastifyStarts.unsubscribe(routed);
      fastifyServers.unsubscribe(made);
    },
  };
}

/** A request that is being answered. */
interface OpenRequest {
  readonly scope: OpenScope;
  readonly request: IncomingMessage;
  /** Whether Fastify has told its route. */
  isRouted: boolean;
}

/** The scopes of the requests that are being answered. */
class RequestScopes {
  readonly #watchdog: ScopeOpener;
  readonly #settings: Settings;
  readonly #choice: RequestChoice | undefined;
  /** Whether some requests get no scope. */
  readonly #leavesOut: boolean;
  /** Marks a socket whose last request was a scope: that scope is still current when the next request begins. */
  readonly #mark = Symbol('tenure.scoped');
  /** The key of an open request on its response. */
  readonly #key = Symbol('tenure.request');
  readonly #closed: (this: ServerResponse) => void;
  readonly #responses = new OpenResponses<ServerResponse>((response) => this.#end(response));

  constructor(watchdog: ScopeOpener, settings: Settings, choice: RequestChoice | undefined) {
    this.#watchdog = watchdog;
    this.#settings = settings;
    this.#choice = choice;
    this.#leavesOut = choice !== undefined || settings.ignore !== undefined;
    const scopes = this;
    this.#closed = function () {
      scopes.#end(this);
    };
  }

  started({ request, response }: RequestStart): void {
    if (this.#isIgnored(request)) {
      this.#leaveScopeBefore(request);
      return;
    }
    if (this.#choice?.isDue() === false) {
      this.#leaveScopeBefore(request);
      this.#choice.passed();
      return;
    }
    const scope = openRequestScope(this.#watchdog, request);
    if (this.#leavesOut) Reflect.set(request.socket, this.#mark, true);
    const open: OpenRequest = { scope, request, isRouted: false };
    Reflect.set(response, this.#key, open);
    makeRoomForListener(response);
    response.on('close', this.#closed); // It comes once, and a listener by `once` costs twice as much.
    this.#responses.add(request.socket, response);
    scope.enter();
    emitWithin(scope, request);
  }

  /** Leaves the scope of the request before this one in its connection, which may be current. */
  #leaveScopeBefore(request: IncomingMessage): void {
    if (Reflect.get(request.socket, this.#mark) !== true) return;
    Reflect.set(request.socket, this.#mark, false);
    const scope = openRequestScope(this.#watchdog, request);
    scope.leave();
    scope.end();
  }

  #isIgnored(request: IncomingMessage): boolean {
    const { ignore } = this.#settings;
    return (
      ignore !== undefined && guardedCall('httpScopes: ignore', () => ignore(request)) === true
    );
  }

  /** Has a server of Fastify tell the routes of its requests, before its other hooks. */
  followServer({ fastify }: FastifyMade): void {
    guardedCall('httpScopes: a hook of fastify', () =>
      fastify?.addHook('onRequest', (request, reply, done) => {
        const { routeOptions = { url: request.routerPath } } = request;
        this.routed(reply.raw, routeOptions.url);
        done();
      }),
    );
  }

  /** Fastify has found the route of a request. */
  routed(response: ServerResponse | undefined, url: unknown): void {
    const open = this.#openOf(response);
    if (open === undefined || typeof url !== 'string') return;
    open.isRouted = true;
    open.scope.rename(`${open.request.method} ${url}`);
  }

  #end(response: ServerResponse): void {
    const open = this.#openOf(response);
    if (open === undefined) return;
    Reflect.set(response, this.#key, undefined);
    const { scope, request, isRouted } = open;
    this.#responses.delete(request.socket, response);
    const { name } = this.#settings;
    const given =
      name === undefined
        ? undefined
        : guardedCall('httpScopes: name', () => name(request, response));
    const known = isRouted ? undefined : (expressName(request) ?? paramsName(request));
    if (typeof given === 'string' && given !== '') scope.rename(given);
    else if (known !== undefined) scope.rename(known);
    scope.end();
  }

  #openOf(response: ServerResponse | undefined): OpenRequest | undefined {
    return response === undefined
      ? undefined
      : (response as unknown as Record<symbol, OpenRequest | undefined>)[this.#key];
  }
}
