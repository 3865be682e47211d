/**
 * The paths at which the routers of Express are mounted, as `/api/:tenant/orders`. Express tells a request the part of the URL that a mount
 * has matched (`baseUrl`), which has the ids of the client in it, and takes even that back when a handler fails.
 *
 * ```
 *   app ── use('/api/:tenant', router) ──▶ router ── use('/orders', other) ──▶ other ── get('/:id') ──▶ route
 *                 │  matches the path                    │  matches the rest                            │  is that of the request
 *                 ▼                                      ▼                                              ▼
 *          /api/:tenant                  +            /orders                           the path of the mounts is known
 * ```
 *
 * Express has no public list of its routers. What is read here are the fields of the package `router` 2 (Express 5) and of Express 4. Where
 * they are missing, no path is given.
 */

/** The layer of a router: a middleware, a router or a route at a path. */
interface Layer {
  readonly route?: unknown;
  readonly handle?: unknown;
  /** The path as the application has given it: a string, a regular expression, or an array. `router` has it since 2.3. */
  readonly rawPath?: unknown;
  /** Whether the path is `/`. Express 5. */
  readonly slash?: unknown;
  /** Express 5. */
  readonly matchers?: readonly ((path: string) => false | MatchedPath)[];
  /** Express 4. */
  readonly regexp?: RegExp & { readonly fast_slash?: boolean };
  /** Express 4: what the groups of {@link regexp} stand for. */
  readonly keys?: readonly { readonly name: unknown }[];
}

/** What a mount has matched of a path. */
export interface MatchedPath {
  readonly path: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** What is read of an application of Express. */
interface ExpressApp {
  readonly _router?: unknown;
  readonly router?: unknown;
  /** The application that this one is mounted in. */
  readonly parent?: unknown;
}

/** The maximum depth of a tree of routers: one that is mounted in itself has no end. */
const MAX_MOUNTS = 16;

/** The name of the function by which Express mounts an application. */
const MOUNTED_APP = 'mounted_app';

/** Stands for a part of a path that names no parameter. */
export const UNKNOWN_PART = '/…';

/** What is read of a request of Express. */
export interface MountedRequest {
  /** Set by Express when it has found a route. */
  readonly route?: unknown;
  /** Set by Express: the URL as the client has sent it. */
  readonly originalUrl?: unknown;
  /** Set by Express: the application. */
  readonly app?: unknown;
}

/**
 * Gives the path of the mounts that lead to the route of a request, as the application has written it; empty for a route of the application
 * itself, and `undefined` for one that is not found. O(layers).
 */
export function mountPath(request: MountedRequest): string | undefined {
  try {
    const { app, route, originalUrl } = request;
    if (typeof originalUrl !== 'string') return undefined;
    const path = originalUrl.split('?', 1)[0] as string;
    return pathInApp(app as ExpressApp, path, 0)
      .map(([stack, rest, prefix]) => pathTo(route, stack, rest, prefix, 0))
      .find((found) => found !== undefined);
  } catch {
    return undefined; // Another version of Express, or a URL that it cannot decode.
  }
}

/** The layers of an application, with the part of the path that is left for it, for each mount that may have led to it. */
function pathInApp(
  app: ExpressApp,
  path: string,
  depth: number,
): [stack: readonly Layer[], rest: string, prefix: string][] {
  const stack = stackOf(app._router ?? app.router);
  if (stack === undefined || depth > MAX_MOUNTS) return [];
  if (app.parent === undefined) return [[stack, path, '']];
  return pathInApp(app.parent as ExpressApp, path, depth + 1).flatMap(([outer, rest, prefix]) =>
    outer.flatMap((layer): [readonly Layer[], string, string][] => {
      if ((layer.handle as { name?: unknown } | undefined)?.name !== MOUNTED_APP) return [];
      const matched = matchOf(layer, rest);
      return matched === undefined ? [] : [[stack, matched.rest, prefix + matched.pattern]];
    }),
  );
}

function pathTo(
  route: unknown,
  stack: readonly Layer[],
  path: string,
  prefix: string,
  depth: number,
): string | undefined {
  if (stack.some((layer) => layer.route === route)) return prefix;
  if (depth > MAX_MOUNTS) return undefined;
  for (const layer of stack) {
    const inner = layer.route === undefined ? stackOf(layer.handle) : undefined;
    const matched = inner === undefined ? undefined : matchOf(layer, path);
    if (inner === undefined || matched === undefined) continue;
    const found = pathTo(route, inner, matched.rest, prefix + matched.pattern, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

function stackOf(router: unknown): readonly Layer[] | undefined {
  const stack = (router as { readonly stack?: unknown } | null | undefined)?.stack;
  return Array.isArray(stack) ? stack : undefined;
}

/** What is left of a path behind a mount, and the path of the mount; `undefined` if it does not match. */
function matchOf(layer: Layer, path: string): { rest: string; pattern: string } | undefined {
  if (layer.slash === true || layer.regexp?.fast_slash === true) return { rest: path, pattern: '' };
  for (const [index, match] of matchersOf(layer).entries()) {
    const matched = match(path);
    if (matched === false || !path.startsWith(matched.path)) continue;
    const rest = path.slice(matched.path.length);
    const { rawPath } = layer;
    const raw = Array.isArray(rawPath) ? rawPath[index] : rawPath;
    const pattern = raw === undefined ? withoutValues(matched) : String(raw);
    return { rest: rest.startsWith('/') ? rest : `/${rest}`, pattern: pattern.replace(/\/$/, '') };
  }
  return undefined;
}

function matchersOf({ matchers, regexp, keys = [] }: Layer): NonNullable<Layer['matchers']> {
  if (matchers !== undefined) return matchers;
  if (regexp === undefined) return [];
  return [
    (path) => {
      const match = regexp.exec(path);
      if (match === null) return false;
      const params = keys.map(({ name }, i) => [String(name), match[i + 1] ?? '']);
      return { path: match[0], params: Object.fromEntries(params) as Record<string, string> };
    },
  ];
}

/** The path that a mount has matched, with the names of its parameters in place of their values. */
export function withoutValues({ path, params }: MatchedPath): string {
  let pattern = path;
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined || value === '') continue; // An optional one that is not there.
    const segments = pattern.split('/');
    const isValue = (part: string): boolean => part === value || decodeURIComponent(part) === value;
    if (!segments.some(isValue)) return UNKNOWN_PART; // The value is a part of a segment, or several segments.
    pattern = segments.map((part) => (isValue(part) ? `:${name}` : part)).join('/');
  }
  return pattern;
}
