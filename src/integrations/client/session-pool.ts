/** A pool of the connections of a driver. Each has one holder at a time, and its session is as new after each loan. */
import { connectionUse } from '../../core/connection-use.js';
import { followUntilAbort } from '../../core/signal-waits.js';
import { createPool } from '../../pool/create-pool.js';
import type { Pool } from '../../pool/pool.js';
import type { PoolOptions } from '../../pool/pool-options.js';
import type { DriverErrors } from '../error-chain.js';

/** The session of one connection. */
export interface ClientSession<T> {
  /** What holders get. */
  readonly client: T;
  /** Connects, and asks the server for what a reset needs. */
  open(): Promise<void>;
  /** Whether the server answers. */
  isAlive(): Promise<boolean>;
  /** Makes the session as new. Rejects if that is not possible. */
  reset(): Promise<void>;
  /** Ends the connection. */
  close(): Promise<void>;
  /** Ends the connection at once, also while it opens or during a statement. */
  cut(): void;
}

/** A driver, which is loaded with the first connection: an application that only adopts a pool does not load it. */
export interface Driver<T, M> {
  readonly errors: DriverErrors;
  /** Whether an error of `open` says that the server is away for now: it restarts, or another one takes its place. */
  isAway(error: unknown): boolean;
  load(): Promise<M>;
  /** Makes a session. `onBroken` is to be called with the reason when its connection breaks. */
  makeSession(module: M, onBroken: (reason: Error) => void): ClientSession<T>;
}

/** Validation costs a round trip. A connection that was used this recently is taken for good, in milliseconds. */
const VALIDATE_AFTER_IDLE_MILLIS = 500;

/** Keepalive finds connections that a network has dropped, in milliseconds. */
const KEEPALIVE_MILLIS = 60_000;

/** How many failures in a row reject a caller, unless the server has been there before and is away for now. */
const ATTEMPTS = 8;

/**
 * Makes a pool of the connections of a driver. Without `createAttempts`, callers wait for a server that is away as long as they like,
 * once the pool has had a connection to it. Before that, the address may be wrong.
 */
export function createSessionPool<T extends object, M>(
  driver: Driver<T, M>,
  options: PoolOptions,
): Pool<T> {
  const sessions = new WeakMap<T, ClientSession<T>>();
  const sessionOf = (client: T): ClientSession<T> => sessions.get(client) as ClientSession<T>;
  let lastAttempt = 0;
  let isServerKnown = false;
  const mayPass = (error: unknown): boolean =>
    options.createAttempts !== undefined ||
    lastAttempt < ATTEMPTS ||
    (isServerKnown && driver.isAway(error));
  const pool = createPool<T>(
    {
      ...driver.errors,
      isPermanent: (error) => driver.errors.isPermanent(error) || !mayPass(error),
      async create({ signal, attempt }) {
        lastAttempt = attempt;
        const module = await driver.load();
        signal.throwIfAborted();
        const breaks: Error[] = [];
        const session = driver.makeSession(module, (reason) => {
          breaks.push(reason);
          pool.evict((each) => each === session.client, 'broken');
        });
        sessions.set(session.client, session);
        await opened(session, signal, breaks);
        isServerKnown = true;
        return session.client;
      },
      validate: (client) => sessionOf(client).isAlive(),
      reset: (client) => sessionOf(client).reset(),
      destroy: (client) => sessionOf(client).close(),
      isInUse: connectionUse(),
    },
    {
      testOnBorrow: true,
      validateAfterIdleMillis: VALIDATE_AFTER_IDLE_MILLIS,
      keepaliveMillis: KEEPALIVE_MILLIS,
      createAttempts: Number.POSITIVE_INFINITY,
      ...options,
    },
  );
  return pool;
}

/**
 * Opens a session. Cuts it if that fails, if the signal aborts first, or if the connection breaks as soon as it is open: the pool does not
 * have it yet, and cannot evict it.
 */
async function opened<T>(
  session: ClientSession<T>,
  signal: AbortSignal,
  breaks: readonly Error[],
): Promise<void> {
  try {
    await followUntilAbort(session.open(), signal, () => {});
    if (breaks.length > 0) throw breaks[0];
  } catch (error) {
    session.cut();
    throw breaks[0] ?? error; // A statement that a break interrupts has a less telling error.
  }
}
