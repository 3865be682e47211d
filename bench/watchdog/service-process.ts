/** The orders service of the demo in a process of its own, for `service.ts`: watched at the level that its first argument names. */
import { Watchdog, type WatchLevel } from 'tenure/watchdog';
import { createApp } from '../../examples/service/app.js';
import { openDatabase } from '../../examples/service/database.js';
import { findOrder } from '../../examples/service/orders-fixed.js';

/** What the process tells its parent, at its start and after each message. */
export interface ServiceMessage {
  readonly url: string;
  /** Processor time of the process so far, in microseconds. */
  readonly processorMicros: number;
}

const [, , level, databaseUrl] = process.argv;

const db = openDatabase(databaseUrl as string);
const { app } = createApp(db, new Watchdog({ level: level as WatchLevel }), findOrder);
await db.warmUp(db.max);
const url = await app.listen({ host: '127.0.0.1', port: 0 });

process.on('message', tell);
process.on('disconnect', () => process.exit());
tell();

function tell(): void {
  const { user, system } = process.cpuUsage();
  process.send?.({ url, processorMicros: user + system } satisfies ServiceMessage);
}
