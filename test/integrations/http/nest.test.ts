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
import { FastifyAdapter } from '@nestjs/platform-fastify';
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

/** Starts an application on Express or Fastify. */
type Start = (controller: new () => object, imports: DynamicModule[]) => Promise<FrameworkServer>;

const onExpress: Start = async (controller, imports) => {
  const options = { logger: false, forceCloseConnections: true } as const;
  const app = await NestFactory.create(moduleOf(controller, imports), options);
  await app.listen(0);
  const { port } = app.getHttpServer().address() as AddressInfo;
  return { port, close: () => app.close() };
};

const onFastify: Start = async (controller, imports) => {
  const adapter = new FastifyAdapter({ forceCloseConnections: true });
  const app = await NestFactory.create(moduleOf(controller, imports), adapter, { logger: false });
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  return { port, close: () => app.close() };
};

function moduleOf(controller: new () => object, imports: DynamicModule[]): new () => object {
  class AppModule {}
  Module({ imports, controllers: [controller] })(AppModule);
  return AppModule;
}

for (const [platform, start] of [
  ['Express', onExpress],
  ['Fastify', onFastify],
] as const) {
  testScopesOf(`nest on ${platform}, the module`, (watchdog, routes, options) =>
    start(controllerOf(routes), [forRoot(watchdog, options)]),
  );

  testScopesOf(
    `nest on ${platform}, the interceptor`,
    (watchdog, routes, options) => {
      const controller = controllerOf(routes);
      UseInterceptors(new WatchdogInterceptor(watchdog, options as object))(controller);
      return start(controller, []);
    },
    false,
  );
}

function forRoot(watchdog: ScopeOpener, options: ContractOptions): DynamicModule {
  return WatchdogModule.forRoot(watchdog, options as object);
}
