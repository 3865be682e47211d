/**
 * The name of a request whose router tells the parameters and not the route, as Polka does: the path with the names of the parameters in
 * place of their values.
 */
import { UNKNOWN_PART, withoutValues } from './express-mounts.js';

/** What is read of a request. */
export interface RequestWithParams {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** Set by a router: the URL as the client has sent it. */
  readonly originalUrl?: unknown;
  /** Set by a router: the values of the parameters of the route. */
  readonly params?: unknown;
}

/** The method and the path; `undefined` without parameters, or if one of them is no segment of the path. */
export function paramsName(request: RequestWithParams): string | undefined {
  const { method = 'GET', params } = request;
  if (typeof params !== 'object' || params === null || Object.keys(params).length === 0) {
    return undefined;
  }
  const url = typeof request.originalUrl === 'string' ? request.originalUrl : request.url;
  const path = url?.split('?', 1)[0] as string;
  try {
    const pattern = withoutValues({ path, params: params as Readonly<Record<string, unknown>> });
    return pattern === UNKNOWN_PART ? undefined : `${method} ${pattern}`;
  } catch {
    return undefined; // A URL that cannot be decoded.
  }
}
