/** The messages and events of a microservice of Nest, over real TCP: each is a scope, and leaks are named by their handlers. */
import 'reflect-metadata';
import { Controller, Module, UseInterceptors } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  type ClientProxy,
  ClientProxyFactory,
  EventPattern,
  MessagePattern,
  type TcpOptions,
  Transport,
} from '@nestjs/microservices';
import { firstValueFrom, lastValueFrom, Observable, toArray } from 'rxjs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freePort } from '../../../examples/service/free-port.js';
import { WatchdogInterceptor, WatchdogModule } from '../../../src/integrations/nest.js';
import { createPool } from '../../../src/pool/index.js';
import { allowLeaks } from '../../../src/testing/index.js';
import { Watchdog } from '../../../src/watchdog/index.js';
import { Gate } from '../../kit/gate.js';
import { until } from '../../kit/until.js';

/** Decorates a method, as a decorator above it does. */
function decorate(target: object, name: string, decorator: MethodDecorator): void {
  decorator(target, name, Object.getOwnPropertyDescriptor(target, name) as PropertyDescriptor);
}

/** Starts a microservice alone, or one that an HTTP application has connected. */
async function listen(
  module: new () => object,
  service: TcpOptions,
  isAlone: boolean,
): Promise<{ close(): Promise<void> }> {
  if (isAlone) {
    const app = await NestFactory.createMicroservice(module, { ...service, logger: false });
    await app.listen();
    return app;
  }
  const app = await NestFactory.create(module, { logger: false });
  app.connectMicroservice(service, { inheritAppConfig: true });
  await app.startAllMicroservices();
  await app.init();
  return app;
}

/** How an application gets its scopes. */
type By = 'module' | 'interceptor' | 'module of a hybrid application';

async function start(by: By) {
  const watchdog = new Watchdog({ level: 'advanced', graceMillis: 0 });
  const pool = createPool({ create: () => ({}), destroy: () => {} }, { name: 'db', max: 100 });
  watchdog.watch(pool);
  const gate = new Gate();
  class OrdersController {
    async find(id: number): Promise<string> {
      return pool.use(() => `order ${id}`);
    }
    async lose(): Promise<string> {
      await pool.lease();
      return 'lost';
    }
    /** Answers in parts, with a loan that lasts until the last one. */
    list(): Observable<number> {
      return new Observable((subscriber) => {
        void pool.use(async () => {
          subscriber.next(1);
          await gate.passed;
          subscriber.next(2);
          subscriber.complete();
        });
      });
    }
    async fail(): Promise<never> {
      await using _lease = await pool.lease();
      throw new Error('the handler fails');
    }
    async created(): Promise<void> {
      await pool.lease();
    }
  }
  for (const name of ['find', 'lose', 'list', 'fail']) {
    decorate(OrdersController.prototype, name, MessagePattern(name));
  }
  decorate(OrdersController.prototype, 'created', EventPattern('created') as MethodDecorator);
  Controller()(OrdersController);
  if (by === 'interceptor') UseInterceptors(new WatchdogInterceptor(watchdog))(OrdersController);
  class AppModule {}
  const imports = by !== 'interceptor' ? [WatchdogModule.forRoot(watchdog)] : [];
  Module({ imports, controllers: [OrdersController] })(AppModule);
  const options = { host: '127.0.0.1', port: await freePort() };
  const service = { transport: Transport.TCP, options } as const;
  const app = await listen(AppModule, service, by !== 'module of a hybrid application');
  const client: ClientProxy = ClientProxyFactory.create(service);
  return {
    watchdog,
    pool,
    gate,
    client,
    ask: (name: string, data: unknown = 0): Promise<unknown> =>
      firstValueFrom(client.send(name, data)),
    /** The leaking scopes, once all have ended. */
    async leaks(): Promise<string[]> {
      await until(() => watchdog.stats().scopes === 0);
      const reports = await watchdog.check();
      return reports.flatMap(({ scopes }) =>
        scopes.map(({ scope, count }) => `${scope} ×${count}`),
      );
    },
    async close(): Promise<void> {
      await client.close();
      await app.close();
      await pool.close({ graceMillis: 0, force: true });
      watchdog[Symbol.dispose]();
    },
  };
}

describe.each<By>(['module', 'interceptor', 'module of a hybrid application'])(
  'a microservice of Nest, by the %s',
  (by) => {
    let t: Awaited<ReturnType<typeof start>>;

    beforeEach(async () => {
      allowLeaks();
      t = await start(by);
    });

    afterEach(() => t.close());

    test('a message whose handler leaks is named by its class and method, and a healthy one is not', async () => {
      expect(await t.ask('find', 17)).toBe('order 17');
      expect(await t.ask('lose')).toBe('lost');
      await Promise.all(Array.from({ length: 20 }, () => t.ask('find', 1)));
      expect(await t.leaks()).toEqual(['OrdersController.lose ×1']);
    });

    test('the scope of a handler that answers in parts ends with the last one', async () => {
      const all = lastValueFrom(t.client.send('list', 0).pipe(toArray()));
      await until(() => t.pool.borrowed === 1);
      expect(t.watchdog.stats().scopes).toBe(1);
      expect(await t.watchdog.check()).toEqual([]);
      t.gate.open();
      expect(await all).toEqual([1, 2]);
      expect(await t.leaks()).toEqual([]);
    });

    test('a handler that fails ends its scope', async () => {
      await expect(t.ask('fail')).rejects.toBeDefined();
      expect(await t.leaks()).toEqual([]);
    });

    test('an event that leaks is named', async () => {
      await lastValueFrom(t.client.emit('created', {}), { defaultValue: undefined });
      await until(() => t.watchdog.stats().loans === 1);
      expect(await t.leaks()).toEqual(['OrdersController.created ×1']);
    });
  },
);
