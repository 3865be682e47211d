import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import {
  Controller,
  type DynamicModule,
  Get,
  Module,
  Post,
  StreamableFile,
  UseInterceptors,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  type ScopeOpener,
  WatchdogInterceptor,
  WatchdogModule,
} from '../../../src/integrations/nest.js';
import {
  type ContractOptions,
  type FrameworkServer,
  type Route,
  testScopesOf,
} from './framework-contract.js';

/** Makes a controller with a method for each route. Nest needs legacy decorators, so they are called as functions. */
function controllerOf(routes: readonly Route[]): new () => object {
  class RoutesController {}
  for (const [i, { method, path, handle }] of routes.entries()) {
    const name = `route${i}`;
    const descriptor = {
      value: async () => {
        const result = await handle();
        return result instanceof Readable ? new StreamableFile(result) : result;
      },
      configurable: true,
    };
    Object.defineProperty(RoutesController.prototype, name, descriptor);
    (method === 'GET' ? Get : Post)(path)(RoutesController.prototype, name, descriptor);
  }
  Controller()(RoutesController);
  return RoutesController;
}

async function start(
  controller: new () => object,
  imports: DynamicModule[],
): Promise<FrameworkServer> {
  class AppModule {}
  Module({ imports, controllers: [controller] })(AppModule);
  const app = await NestFactory.create(AppModule, { logger: false, forceCloseConnections: true });
  await app.listen(0);
  const { port } = app.getHttpServer().address() as AddressInfo;
  return { port, close: () => app.close() };
}

testScopesOf('nest, the module', (watchdog, routes, options) =>
  start(controllerOf(routes), [forRoot(watchdog, options)]),
);

function forRoot(watchdog: ScopeOpener, options: ContractOptions): DynamicModule {
  return WatchdogModule.forRoot(watchdog, options as object);
}

function withInterceptor(
  watchdog: ScopeOpener,
  routes: readonly Route[],
  options: ContractOptions,
): Promise<FrameworkServer> {
  const controller = controllerOf(routes);
  UseInterceptors(new WatchdogInterceptor(watchdog, options as object))(controller);
  return start(controller, []);
}

testScopesOf('nest, the interceptor', withInterceptor, false);
