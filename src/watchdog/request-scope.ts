/** The scope of one HTTP request. A listener of requests opens it, and ends it when the response is closed. */
import type { Connection, OpenScope, OpenScopeOptions } from './open-scope.js';

/** The part of a watchdog that opens scopes. */
export interface ScopeOpener {
  /** Opens a scope that the caller ends. */
  openScope(name: string, options?: OpenScopeOptions): OpenScope;
}

/** What is read of a request. `IncomingMessage` of `node:http` has it. */
export interface RequestMessage {
  /** The method, as `GET`. */
  readonly method?: string | undefined;
  /** The URL, with its query. */
  readonly url?: string | undefined;
  /** The headers, by their names in lower case. */
  readonly headers: Readonly<Record<string, unknown>>;
  /** The connection. */
  readonly socket?: object | null | undefined;
  /** The stream of a request of HTTP/2. */
  readonly stream?: {
    /** Whether the request has no body. */
    readonly endAfterHeaders?: boolean;
  };
}

const AS_REQUEST: OpenScopeOptions = { request: true };

/**
 * Opens the scope of a request. It is active while its connection is used; requests of HTTP/2 share theirs. `name` is that of its
 * route. Until that is known, the name is the method and the first segment of the path, `GET /orders/…`: what comes behind is as
 * unbounded as the URLs of clients.
 */
export function openRequestScope(
  watchdog: ScopeOpener,
  request: RequestMessage,
  name: string = firstName(request),
): OpenScope {
  const scope = watchdog.openScope(name, AS_REQUEST);
  if (request.stream === undefined) scope.connection = (request.socket as Connection) ?? undefined;
  return scope;
}

/**
 * Emits the events of a request that has a body within its scope. The chunks of a body arrive in the context of the connection,
 * so a loan that a listener of `'end'` takes, such as a handler behind a body parser, would belong to no scope.
 */
export function emitWithin(scope: OpenScope, request: RequestMessage): void {
  if (!hasBody(request)) return;
  const emit: unknown = Reflect.get(request, 'emit');
  if (typeof emit !== 'function') return;
  const value = function (this: unknown, ...args: unknown[]): unknown {
    return scope.run(() => Reflect.apply(emit, this, args));
  };
  // Not enumerable: a logger that prints the request prints no function more.
  Reflect.defineProperty(request, 'emit', { value, writable: true, configurable: true });
}

function firstName({ method = 'GET', url = '' }: RequestMessage): string {
  const [path = ''] = url.split('?', 1);
  const slash = path.indexOf('/', 1);
  if (slash < 0) return `${method} ${path === '' ? '/' : path}`;
  return slash + 1 === path.length
    ? `${method} ${path.slice(0, slash)}`
    : `${method} ${path.slice(0, slash)}/…`;
}

function hasBody({ headers, stream }: RequestMessage): boolean {
  return (
    headers['transfer-encoding'] !== undefined ||
    (headers['content-length'] ?? '0') !== '0' ||
    stream?.endAfterHeaders === false
  );
}
