/**
 * A scope of a watchdog for each request of Nest, by one line: `imports: [WatchdogModule.forRoot(watchdog)]`. It serves Nest on Express
 * and on Fastify.
 *
 * @module
 */
import {
  type CallHandler,
  type DynamicModule,
  type ExecutionContext,
  Inject,
  Injectable,
  Module,
  type NestInterceptor,
  type NestModule,
} from '@nestjs/common';
import { APP_INTERCEPTOR, HttpAdapterHost } from '@nestjs/core';
import { Observable } from 'rxjs';
import { expressName } from '../watchdog/express-name.js';
import type { OpenScope } from '../watchdog/open-scope.js';
import {
  type HttpRequest,
  type HttpResponse,
  type RequestScopeOptions,
  RequestScopes,
  type ScopeOpener,
} from './http/request-scopes.js';

export type { HttpRequest, HttpResponse, RequestScopeOptions, ScopeOpener };

/** Options of the scopes of Nest. `name` and `ignore` get the request and the response of `node:http`. */
export type NestScopeOptions = RequestScopeOptions<HttpRequest, HttpResponse>;

type NestScopes = RequestScopes<HttpRequest, HttpResponse>;

/** The token under which a module gets its scopes. */
const SCOPES = Symbol('tenure.scopes');

/** What Express or Fastify hands to a handler of Nest: the request of `node:http`, or a wrapper of it. */
interface FrameworkRequest extends HttpRequest {
  readonly raw?: HttpRequest;
  readonly routeOptions?: { readonly url?: string };
}

interface FrameworkResponse extends HttpResponse {
  readonly raw?: HttpResponse;
}

/**
 * A module of Nest: each HTTP request is a scope, from its first middleware until its response is closed, and each message or event
 * of a microservice or a gateway is one, until its handler is done. The name is the route, as in `GET /orders/:id`, or the class
 * and the method, as in `OrdersController.created`.
 *
 * @example
 * ```ts
 * import 'reflect-metadata';
 * import { Module } from '@nestjs/common';
 * import { WatchdogModule } from 'tenure/integrations/nest';
 * import { Watchdog } from 'tenure/watchdog';
 *
 * const watchdog = new Watchdog();
 * class AppModule {}
 * Module({ imports: [WatchdogModule.forRoot(watchdog)] })(AppModule);
 * ```
 */
export class WatchdogModule implements NestModule {
  readonly #scopes: NestScopes;
  readonly #adapters: HttpAdapterHost;

  /** Nest makes it: import the module that {@link forRoot} gives. */
  constructor(scopes: unknown, adapters: HttpAdapterHost) {
    this.#scopes = scopes as NestScopes;
    this.#adapters = adapters;
  }

  /**
   * Gives the module, to import it into the root module of the application.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option, or for a watchdog that
   * is none.
   */
  static forRoot(watchdog: ScopeOpener, options: NestScopeOptions = {}): DynamicModule {
    const scopes: NestScopes = new RequestScopes('WatchdogModule.forRoot', watchdog, options);
    const shared: NestInterceptor = {
      intercept: (context, next) => intercept(watchdog, scopes, context, next),
    };
    return {
      module: WatchdogModule,
      providers: [
        { provide: SCOPES, useValue: scopes },
        { provide: APP_INTERCEPTOR, useValue: shared },
      ],
    };
  }

  /** Nest calls it when it adds middleware. */
  configure(): void {
    const scopes = this.#scopes;
    const middleware = (
      request: HttpRequest,
      response: HttpResponse,
      next: (error?: unknown) => void,
    ): void => {
      if (scopes.ignores(request)) next();
      else openScope(scopes, request, response).run(() => next());
    };
    this.#adapters.httpAdapter?.use(middleware);
  }
}

/**
 * An interceptor of Nest, for an application that does not import {@link WatchdogModule}, or for some of its controllers: each call of a
 * handler is a scope. The scope of an HTTP request ends when its response is closed, any other when the handler's result is
 * complete. Guards and middleware run before it.
 *
 * @example
 * ```ts
 * import 'reflect-metadata';
 * import { UseInterceptors } from '@nestjs/common';
 * import { WatchdogInterceptor } from 'tenure/integrations/nest';
 * import { Watchdog } from 'tenure/watchdog';
 *
 * const watchdog = new Watchdog();
 * class OrdersController {}
 * UseInterceptors(new WatchdogInterceptor(watchdog))(OrdersController);
 * ```
 */
export class WatchdogInterceptor implements NestInterceptor {
  readonly #watchdog: ScopeOpener;
  readonly #scopes: NestScopes;

  /**
   * Opens scopes of `watchdog`.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option, or for a watchdog that
   * is none.
   */
  constructor(watchdog: ScopeOpener, options: NestScopeOptions = {}) {
    this.#watchdog = watchdog;
    this.#scopes = new RequestScopes('new WatchdogInterceptor', watchdog, options);
  }

  /** Nest calls it for each call of a handler. */
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return intercept(this.#watchdog, this.#scopes, context, next);
  }
}

// Legacy decorators, as functions: Nest reads what they record, and this package is compiled without them.
Module({})(WatchdogModule);
Inject(SCOPES)(WatchdogModule, undefined, 0);
Inject(HttpAdapterHost)(WatchdogModule, undefined, 1);
Injectable()(WatchdogInterceptor);

/** The routes of requests whose framework does not note them on the request of `node:http`. */
const routes = new WeakMap<object, string>();

function openScope(scopes: NestScopes, request: HttpRequest, response: HttpResponse): OpenScope {
  const route = (): string | undefined => routes.get(request) ?? expressName(request);
  return scopes.open(request, response, request, response, route);
}

function intercept(
  watchdog: ScopeOpener,
  scopes: NestScopes,
  context: ExecutionContext,
  next: CallHandler,
): Observable<unknown> {
  if (context.getType() !== 'http') return withinOwn(watchdog, context, next);
  const http = context.switchToHttp();
  const request = http.getRequest<FrameworkRequest>();
  const response = http.getResponse<FrameworkResponse>();
  const raw = request.raw ?? request;
  const { url } = request.routeOptions ?? {};
  if (url !== undefined) routes.set(raw, `${raw.method} ${url}`);
  let scope = scopes.scopeOf(raw);
  if (scope === undefined) {
    if (scopes.ignores(raw)) return next.handle();
    scope = openScope(scopes, raw, response.raw ?? response);
  }
  return within(scope, next);
}

/** Runs a handler that answers no HTTP request as a scope of its own. */
function withinOwn(
  watchdog: ScopeOpener,
  context: ExecutionContext,
  next: CallHandler,
): Observable<unknown> {
  const name = `${context.getClass().name}.${context.getHandler().name}`;
  return new Observable((subscriber) => {
    const scope = watchdog.openScope(name);
    const subscription = within(scope, next).subscribe(subscriber);
    subscription.add(() => scope.end());
    return subscription;
  });
}

function within(scope: OpenScope, next: CallHandler): Observable<unknown> {
  return new Observable((subscriber) => scope.run(() => next.handle().subscribe(subscriber)));
}
