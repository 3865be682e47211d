/**
 * The orders service of the demo in a process of its own, for `service.ts`: watched at the level that its first argument
 * names, or unwatched within an AsyncLocalStorage.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { Watchdog, type WatchLevel } from 'tenure/watchdog';
import { createApp } from '../../examples/service/app.js';
import { openDatabase } from '../../examples/service/database.js';
import { findOrder } from '../../examples/service/orders-fixed.js';
import { isEntry } from '../command-line.js';

/** What the process tells its parent, at its start and after each message. */
export interface ServiceMessage {
  readonly url: string;
  /** Processor time of the process so far, in microseconds. */
  readonly processorMicros: number;
}

async function serve(name: string, databaseUrl: string): Promise<void> {
  const storage = name === 'AsyncLocalStorage' ? new AsyncLocalStorage<object>() : undefined;
  const level = storage === undefined ? (name as WatchLevel) : 'off';
  const watchdog = new Watchdog({ level });
  if (storage !== undefined) {
    watchdog.scope = (_name, body) => storage.run({}, body as () => never);
  }
  const db = openDatabase(databaseUrl);
  const { app } = createApp(db, watchdog, findOrder);
  await db.warmUp(db.max);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const tell = (): void => {
    const { user, system } = process.cpuUsage();
    process.send?.({ url, processorMicros: user + system } satisfies ServiceMessage);
  };
  process.on('message', tell);
  process.on('disconnect', () => process.exit());
  tell();
}

const [, , name, databaseUrl] = process.argv;
if (isEntry(import.meta.url)) await serve(name as string, databaseUrl as string);
