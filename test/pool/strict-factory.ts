/** A factory that throws as soon as a pool breaks a rule: too many resources, one destroyed twice, one with two holders. */
import type { Factory } from '../../src/pool/factory.js';

export class Thing {
  readonly id: number;
  state: 'alive' | 'destroyed' = 'alive';
  held = false;

  constructor(id: number) {
    this.id = id;
  }
}

/** Steps that a test puts in place of the factory's own. Each gets the number of its call, from 0. */
export interface Steps {
  create?(number: number, signal: AbortSignal): unknown;
  destroy?(thing: Thing, reason: string): unknown;
  validate?(thing: Thing, number: number): unknown;
  reset?(thing: Thing, number: number): unknown;
}

export class StrictFactory implements Factory<Thing> {
  readonly things: Thing[] = [];
  readonly destroyed: string[] = [];
  readonly steps: Steps;
  readonly #mostAlive: number;
  creates = 0;
  validates = 0;
  resets = 0;
  validate?: (thing: Thing) => Promise<boolean>;
  reset?: (thing: Thing) => Promise<void>;

  constructor(mostAlive = 10, steps: Steps = {}) {
    this.#mostAlive = mostAlive;
    this.steps = steps;
    if (steps.validate !== undefined) {
      this.validate = async (thing) => {
        this.#mustBeFree(thing);
        const number = this.validates++;
        return (await steps.validate?.(thing, number)) !== false;
      };
    }
    if (steps.reset !== undefined) {
      this.reset = async (thing) => {
        this.#mustBeFree(thing);
        const number = this.resets++;
        await steps.reset?.(thing, number);
      };
    }
  }

  get alive(): number {
    return this.things.filter((thing) => thing.state === 'alive').length;
  }

  async create({ signal }: { signal: AbortSignal }): Promise<Thing> {
    const number = this.creates++;
    await this.steps.create?.(number, signal);
    const thing = new Thing(this.things.length);
    this.things.push(thing);
    if (this.alive > this.#mostAlive) {
      throw new Error(`${this.alive} are alive, ${this.#mostAlive} were allowed`);
    }
    return thing;
  }

  async destroy(thing: Thing, reason: string): Promise<void> {
    if (thing.state === 'destroyed') throw new Error(`${thing.id} was destroyed twice`);
    this.destroyed.push(`${thing.id} ${reason}`);
    try {
      await this.steps.destroy?.(thing, reason);
    } finally {
      thing.state = 'destroyed';
    }
  }

  #mustBeFree(thing: Thing): void {
    if (thing.held) throw new Error(`${thing.id} is held`);
    if (thing.state !== 'alive') throw new Error(`${thing.id} is ${thing.state}`);
  }
}

/** Marks a thing as held. Throws if it is held already. */
export function hold(thing: Thing): Thing {
  if (thing.held) throw new Error(`${thing.id} has two holders`);
  if (thing.state !== 'alive') throw new Error(`${thing.id} was lent although ${thing.state}`);
  thing.held = true;
  return thing;
}

/** Marks a thing as not held, before it is given back. */
export function letGo(thing: Thing): Thing {
  thing.held = false;
  return thing;
}
