/**
 * A scope for each HTTP request, which ends with the response.
 *
 * ```
 *   open ──▶ middleware, handlers, events of the body ──▶ 'close' of the response ──▶ rename to the route, end
 * ```
 *
 * The event `'close'` comes for each response: one that is sent, one that a handler's error has cut off, and one that the client
 * has aborted. `'finish'` comes for the first of these only. A pipelined request whose client leaves before its turn has neither: its scope
 * ends with the connection.
 */
import { guardedCall } from '../../core/guarded-call.js';
import { makeRoomForListener } from '../../core/make-room-for-listener.js';
import { OpenResponses } from '../../core/open-responses.js';
import {
  aFunction,
  checkArgument,
  type OptionTable,
  objectWith,
  optional,
  resolveOptions,
} from '../../core/options.js';
import type { RoutedRequest } from '../../watchdog/express-name.js';
import type { OpenScope } from '../../watchdog/open-scope.js';
import {
  emitWithin,
  openRequestScope,
  type RequestMessage,
  type ScopeOpener,
} from '../../watchdog/request-scope.js';

export type { ScopeOpener };

/** The part of a request that is used: `IncomingMessage` of `node:http` has it. */
export interface HttpRequest extends RequestMessage, RoutedRequest {
  /** The connection: a socket of `node:net`. */
  readonly socket?: Pick<HttpResponse, 'closed' | 'once'> | undefined;
}

/** The part of a response that is used: `ServerResponse` of `node:http` has it. */
export interface HttpResponse {
  /** Whether `'close'` was emitted. */
  readonly closed?: boolean;
  /** Adds a listener. */
  once(event: 'close', listener: () => void): unknown;
}

/** Options of the scopes of requests. An error that a function throws is printed and ignored. */
export interface RequestScopeOptions<Request, Response> {
  /**
   * Gives the name of a request's scope, when its response is closed. Give the route and not the URL. An empty name leaves the
   * default.
   *
   * @default the method and the route; the method and the first segment of the path if there is no route
   */
  readonly name?: (request: Request, response: Response) => string | undefined;
  /**
   * Whether a request gets no scope, such as a stream of events that never ends.
   *
   * @default every request gets one
   */
  readonly ignore?: (request: Request) => boolean;
}

interface Settings<Request, Response> {
  readonly name: ((request: Request, response: Response) => string | undefined) | undefined;
  readonly ignore: ((request: Request) => boolean) | undefined;
}

/** The scopes of the requests of one server. `Request` and `Response` are those of its framework. */
export class RequestScopes<Request extends object, Response> {
  readonly #watchdog: ScopeOpener;
  readonly #settings: Settings<Request, Response>;
  readonly #where: string;
  readonly #scopes = new WeakMap<object, OpenScope>();
  /** What ends the scope of each open response. */
  readonly #ends = new OpenResponses<() => void>((end) => end());

  /**
   * `where` names the function that was called.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option, or for a watchdog that
   * is none.
   */
  constructor(
    where: string,
    watchdog: ScopeOpener,
    options: RequestScopeOptions<Request, Response>,
  ) {
    checkArgument(where, 'watchdog', watchdog, objectWith('openScope'));
    const table: OptionTable<Settings<Request, Response>> = {
      name: optional(aFunction),
      ignore: optional(aFunction),
    };
    this.#where = where;
    this.#watchdog = watchdog;
    this.#settings = resolveOptions<Settings<Request, Response>>(where, options, table);
  }

  /** Whether the request is to have no scope, as the option says. */
  ignores(request: Request): boolean {
    const { ignore } = this.#settings;
    if (ignore === undefined) return false;
    return guardedCall(`${this.#where}: ignore`, () => ignore(request)) === true;
  }

  /**
   * Opens the scope of a request, until its response is closed. `raw` is the request of `node:http`; `route` gives the name that
   * the framework knows.
   */
  open(
    request: Request,
    response: Response,
    raw: HttpRequest,
    rawResponse: HttpResponse,
    route: () => string | undefined,
  ): OpenScope {
    const known = route();
    const scope = openRequestScope(this.#watchdog, raw, known);
    const { socket } = raw;
    const end = (): void => {
      this.#ends.delete(socket, end);
      const name = this.#givenName(request, response) ?? known ?? route();
      if (name !== undefined) scope.rename(name);
      scope.end();
    };
    this.#scopes.set(raw, scope);
    makeRoomForListener(rawResponse);
    rawResponse.once('close', end);
    this.#ends.add(socket, end);
    if (rawResponse.closed === true) end(); // The client has left already.
    emitWithin(scope, raw);
    return scope;
  }

  /** Gives the scope of a request of `node:http`, if it has one. */
  scopeOf(raw: object): OpenScope | undefined {
    return this.#scopes.get(raw);
  }

  #givenName(request: Request, response: Response): string | undefined {
    const { name } = this.#settings;
    if (name === undefined) return undefined;
    const given: unknown = guardedCall(`${this.#where}: name`, () => name(request, response));
    return typeof given === 'string' && given !== '' ? given : undefined;
  }
}
