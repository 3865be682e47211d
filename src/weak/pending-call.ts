/** A call that is made once, when an object has died or earlier. */
import { DeathRecord } from '../core/death-record.js';

/** A function and its arguments. */
export interface Call {
  readonly fn: (...args: never[]) => unknown;
  readonly args: readonly unknown[];
}

/** A call that waits for the death of its target. It drops the call when it ends, so that an ended one holds nothing. */
export abstract class PendingCall extends DeathRecord {
  #call: Call | undefined;

  constructor(call: Call) {
    super();
    this.#call = call;
  }

  /** The call; `undefined` once it was made or taken. */
  get call(): Call | undefined {
    return this.#call;
  }

  /** Takes the call, so that it is never made again. */
  take(): Call | undefined {
    const call = this.#call;
    this.#call = undefined;
    this.unwatch();
    return call;
  }

  /** Makes the call, once, and gives its result. Throws what it throws. */
  run(): unknown {
    const call = this.take();
    return call === undefined ? undefined : Reflect.apply(call.fn, undefined, call.args);
  }
}
