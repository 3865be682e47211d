/** The names that Express gives to requests: the route and not the URL, since a client can make up any number of URLs. */
import { type MountedRequest, mountPath } from './express-mounts.js';

/** What is read of a request. */
export interface RoutedRequest extends MountedRequest {
  /** The method, as `GET`. */
  readonly method?: string | undefined;
  /** Set by Express: the part of the URL that the path of the router has matched. */
  readonly baseUrl?: unknown;
}

/** The method and the route that Express has found; `undefined` without a route. A regular expression is given as its text. */
export function expressName(request: RoutedRequest): string | undefined {
  const { route, method = 'GET' } = request;
  const path = (route as { readonly path?: unknown } | undefined)?.path;
  if (path === undefined) return undefined;
  const base = basePath(request);
  const paths = Array.isArray(path) ? path.map(String).join('|') : String(path);
  return `${method} ${paths === '/' && base !== '' ? base : `${base}${paths}`}`;
}

/** The path at which the router is mounted; what it has matched of the URL, if Express does not tell. */
function basePath(request: RoutedRequest): string {
  const mounts = mountPath(request);
  if (mounts !== undefined && mounts !== '') return mounts;
  const { baseUrl } = request; // That of an application within a router of another one, which does not know its mount.
  return typeof baseUrl === 'string' ? baseUrl : '';
}
