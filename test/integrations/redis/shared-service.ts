/** Caches of one function over one Redis, as processes of a service have them, in one process: a test can change the source. */
import { randomUUID } from 'node:crypto';
import KeyvRedis from '@keyv/redis';
import Keyv from 'keyv';
import { createClient } from 'redis';
import { redisBus, redisLock } from '../../../src/integrations/redis.js';
import { type MemoizeOptions, memoize } from '../../../src/memoize/index.js';
import {
  type SharedCacheOptions,
  type SharedStore,
  sharedCache,
} from '../../../src/memoize/shared/index.js';
import { until } from '../../kit/until.js';

type Fn = (id: string) => Promise<string>;
export type Member = ReturnType<typeof memoize<Fn>>;

export interface ServiceOptions {
  readonly url: string;
  /** Which parts a cache has besides its store. */
  readonly parts?: readonly ('bus' | 'lock')[];
  readonly options?: Partial<MemoizeOptions<Fn>>;
  readonly shared?: Partial<SharedCacheOptions>;
  /** Makes the adapter of a cache's Keyv. @default one for a single server at `url` */
  readonly adapter?: () => Promise<KeyvRedis<string>>;
  /** Makes a cache's Keyv over its adapter. @default a Keyv 5 */
  readonly keyv?: (store: KeyvRedis<string>, namespace: string) => SharedStore;
}

/** A service whose source is the field {@link source}. */
export class SharedService implements AsyncDisposable {
  /** What the function returns at present. */
  source: (id: string) => Promise<string> | string = () => 'old';
  /** How often the function ran. */
  loads = 0;
  /** What `onError` of any cache was given. */
  readonly errors: unknown[] = [];
  readonly space: string = `tenure-test-${randomUUID()}`;
  readonly #given: ServiceOptions;
  readonly #closers: (() => Promise<void>)[] = [];

  constructor(given: ServiceOptions) {
    this.#given = given;
  }

  /** A cache, as another process has it. Waits until it is connected to the bus. */
  async member(): Promise<Member> {
    const { url, parts = ['bus'], options, shared, adapter, keyv = keyv5 } = this.#given;
    const client = createClient({ url });
    client.on('error', () => {});
    await client.connect();
    const redis = adapter === undefined ? new KeyvRedis<string>(url) : await adapter();
    const store = keyv(redis, this.space);
    const member = memoize<Fn>(
      async (id) => {
        this.loads++;
        return this.source(id);
      },
      {
        name: 'value',
        ttl: 3_600_000,
        onError: (error) => void this.errors.push(error),
        shared: sharedCache({
          store,
          ...(parts.includes('bus')
            ? { bus: redisBus(client, { channel: `${this.space}:bus`, heartbeatMillis: 200 }) }
            : {}),
          ...(parts.includes('lock')
            ? { lock: redisLock(client, { prefix: `${this.space}:lock:` }) }
            : {}),
          ...shared,
        }),
        ...options,
      },
    );
    this.#closers.push(async () => {
      member[Symbol.dispose]();
      client.destroy();
      await redis.disconnect(true); // Without force a client that reconnects waits for ever for what is in its queue.
    });
    if (parts.includes('bus')) await until(() => member.cacheInfo().shared?.bus === 'connected');
    return member;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#closers) await close();
  }
}

function keyv5(store: KeyvRedis<string>, namespace: string): SharedStore {
  return new Keyv({ store, namespace });
}
