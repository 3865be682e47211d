/** Names of the scopes of HTTP requests: the route and not the URL, since a client can make up any number of URLs. */

/** What is read of a request. */
export interface NamedRequest {
  /** The method, as `GET`. */
  readonly method?: string | undefined;
  /** The URL, with its query. */
  readonly url?: string | undefined;
  /** Set by Express when it has found a route. */
  readonly route?: unknown;
  /** Set by Express: the path at which the router is mounted. */
  readonly baseUrl?: unknown;
}

/** The method and the first segment of the path, for a request whose route is not known (yet): `GET /orders/…`. */
export function firstName({ method = 'GET', url = '' }: NamedRequest): string {
  const [path = ''] = url.split('?', 1);
  const slash = path.indexOf('/', 1);
  if (slash < 0) return `${method} ${path === '' ? '/' : path}`;
  return slash + 1 === path.length
    ? `${method} ${path.slice(0, slash)}`
    : `${method} ${path.slice(0, slash)}/…`;
}

/** The method and the route that Express has found; `undefined` without a route. A regular expression is given as its text. */
export function expressName(request: NamedRequest): string | undefined {
  const { baseUrl, route, method = 'GET' } = request;
  const path = (route as { readonly path?: unknown } | undefined)?.path;
  if (path === undefined) return undefined;
  const base = typeof baseUrl === 'string' ? baseUrl : '';
  const paths = Array.isArray(path) ? path.map(String).join('|') : String(path);
  return `${method} ${paths === '/' && base !== '' ? base : `${base}${paths}`}`;
}
