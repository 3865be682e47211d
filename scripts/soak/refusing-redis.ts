/**
 * The part of the soak for shared caches: three caches over a real Redis that refuses writes, freezes, and restarts empty. A call
 * must give no value from before an invalidation of its own cache, must not fail, and must not hang. At the end all agree.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { canStart, connect, RedisServer } from '../../test/integrations/redis/redis-server.js';
import { type Member, SharedService } from '../../test/integrations/redis/shared-service.js';
import { QUIET_SECONDS } from './chaos.js';
import type { Random } from './random.js';
import type { Finding } from './verdict.js';

const KEYS = 50;
const STATES = ['OOM', 'READONLY', 'NOPERM', 'frozen', 'restarted'] as const;
/** After which time a call counts as hanging, in milliseconds. */
const HANG_MILLIS = 10_000;

/** The load and the chaos on one Redis. */
export class RefusingRedis {
  readonly #random: Random;
  readonly #seconds: number;
  readonly #source = new Map<string, number>();
  readonly #incidents = new Map<string, number>();
  #isOver = false;
  #calls = 0;
  #stale = 0;
  #failed = 0;
  #hung = 0;
  #work: Promise<readonly Finding[]> | undefined = undefined;

  constructor(random: Random, seconds: number) {
    this.#random = random;
    this.#seconds = seconds;
  }

  start(): void {
    this.#work = canStart ? this.#run() : undefined;
  }

  /** Ends the load, and gives what was found. */
  async stop(): Promise<readonly Finding[]> {
    this.#isOver = true;
    if (this.#work === undefined) console.log('NO REDIS: shared caches are not soaked.');
    return (await this.#work) ?? [];
  }

  async #run(): Promise<readonly Finding[]> {
    await using server = await RedisServer.own();
    await using service = new SharedService({
      url: server.url,
      parts: ['bus', 'lock'],
      shared: { storeTimeoutMillis: 200 },
    });
    service.source = (id) => String(this.#source.get(id) ?? 0);
    const members = [await service.member(), await service.member(), await service.member()];
    const chaos = this.#refuse(server);
    await Promise.all(members.map((member) => this.#use(member)));
    await chaos;
    let isConfirmed = false;
    for (let second = 0; second < 30 && !isConfirmed; second++) {
      isConfirmed = (await Promise.all(members.map((member) => member.flush()))).every(Boolean);
      await pause(1_000);
    }
    members.push(await service.member());
    let disagreements = 0;
    for (let key = 0; key < KEYS; key++) {
      const id = `key ${key}`;
      for (const member of members) {
        if ((await member(id)) !== String(this.#source.get(id) ?? 0)) disagreements++;
      }
    }
    const incidents = [...this.#incidents].map(([state, count]) => `${count} ${state}`).join(', ');
    console.log(`redis      ${this.#calls} calls, ${service.loads} loads; ${incidents}`);
    return [
      finding('calls of a shared cache that gave an invalidated value', this.#stale),
      finding('calls of a shared cache that failed', this.#failed),
      finding('calls of a shared cache that hung', this.#hung),
      finding('values on which shared caches disagree at the end', disagreements),
      finding('invalidations that are not confirmed at the end', isConfirmed ? 0 : 1),
    ];
  }

  async #use(member: Member): Promise<void> {
    /** The version of each key that this member has invalidated last. */
    const known = new Map<string, number>();
    while (!this.#isOver) {
      const id = `key ${this.#random.below(KEYS)}`;
      if (this.#random.below(10) === 0) {
        const version = (this.#source.get(id) ?? 0) + 1;
        this.#source.set(id, version);
        member.delete(id);
        known.set(id, version);
      }
      const least = known.get(id) ?? 0;
      this.#calls++;
      const began = performance.now();
      await member(id).then(
        (value) => {
          if (Number(value) < least) this.#stale++;
        },
        () => {
          this.#failed++;
        },
      );
      if (performance.now() - began > HANG_MILLIS) this.#hung++;
      await pause(1);
    }
  }

  async #refuse(server: RedisServer): Promise<void> {
    await using admin = await connect(server.url); // One for all incidents: each would be seen in the samples of the heap.
    const quietFrom = performance.now() + (this.#seconds - QUIET_SECONDS) * 1_000;
    while (!this.#isOver && performance.now() < quietFrom) {
      await pause(1_000);
      const state = STATES[this.#random.below(STATES.length)] as (typeof STATES)[number];
      this.#incidents.set(state, (this.#incidents.get(state) ?? 0) + 1);
      if (state === 'frozen') {
        server.freeze();
        await pause(1_500);
        server.thaw();
      } else if (state === 'restarted') {
        await server.kill();
        await pause(500);
        await server.start();
      } else {
        const [refuse, relent] = commandsOf(state);
        await admin.sendCommand(refuse);
        await pause(1_500);
        await admin.sendCommand(relent);
      }
    }
  }
}

function commandsOf(state: 'OOM' | 'READONLY' | 'NOPERM'): [string[], string[]] {
  if (state === 'OOM') {
    return [
      ['CONFIG', 'SET', 'maxmemory', '1'],
      ['CONFIG', 'SET', 'maxmemory', '0'],
    ];
  }
  if (state === 'READONLY') {
    return [
      ['REPLICAOF', '127.0.0.1', '1'],
      ['REPLICAOF', 'NO', 'ONE'],
    ];
  }
  return [
    ['ACL', 'SETUSER', 'default', '-set'],
    ['ACL', 'SETUSER', 'default', '+set'],
  ];
}

function finding(what: string, count: number): Finding {
  return { what, figure: String(count), isFine: count === 0 };
}
