/** The names that Express gives to requests: the route and not the URL, since a client can make up any number of URLs. */

/** What is read of a request. */
export interface RoutedRequest {
  /** The method, as `GET`. */
  readonly method?: string | undefined;
  /** Set by Express when it has found a route. */
  readonly route?: unknown;
  /** Set by Express: the path at which the router is mounted. */
  readonly baseUrl?: unknown;
}

/** The method and the route that Express has found; `undefined` without a route. A regular expression is given as its text. */
export function expressName(request: RoutedRequest): string | undefined {
  const { baseUrl, route, method = 'GET' } = request;
  const path = (route as { readonly path?: unknown } | undefined)?.path;
  if (path === undefined) return undefined;
  const base = typeof baseUrl === 'string' ? baseUrl : '';
  const paths = Array.isArray(path) ? path.map(String).join('|') : String(path);
  return `${method} ${paths === '/' && base !== '' ? base : `${base}${paths}`}`;
}
