/** V8's sampling heap profiler, in this process and without a debugger. */
import { hostGcSource } from '../../../core/gc-source.js';
import {
  aBoolean,
  integer,
  type OptionTable,
  option,
  resolveOptions,
} from '../../../core/options.js';
import { runCommand } from '../inspector-command.js';
import { SamplingError } from '../profile-errors.js';
import { AllocationProfile } from './allocation-profile.js';
import type { RawProfile } from './call-tree.js';

/** Options of {@link sample}. */
export interface SampleOptions {
  /**
   * Mean number of bytes between two samples. 512 KiB costs nothing that can be measured, 64 KiB under 20 % of allocation-heavy
   * code, 2 KiB up to 80 %. The relative error of a figure is 1 / √samples, so a tenth of the interval gives a third of the error.
   *
   * @default 524288
   */
  readonly intervalBytes?: number;
  /**
   * Whether only objects count that are still alive at the end. `stop()` then runs a full collection first, since an object
   * counts as alive until it is collected. Otherwise all objects count that were allocated.
   *
   * @default true
   */
  readonly live?: boolean;
  /**
   * Maximum number of functions of a stack.
   *
   * @default 128
   */
  readonly stackDepth?: number;
}

const OPTIONS: OptionTable<Required<SampleOptions>> = {
  intervalBytes: option(integer(1, 2 ** 31 - 1), 524_288),
  live: option(aBoolean, true),
  stackDepth: option(integer(1, 1024), 128),
};

/** A sampling run, made by {@link sample}. */
export interface Sampling {
  /**
   * Ends the run, and gives the profile. For `live`, it runs a full collection: 0.2 s for a heap of 100 MB. A second call gives
   * the same profile.
   *
   * @throws {@link SamplingError} (`TENURE_PROFILE_SAMPLING`) if V8 gives no profile.
   */
  stop(): Promise<AllocationProfile>;
  /** Ends the run without a profile. */
  [Symbol.dispose](): void;
}

/** V8 has one sampling heap profiler for each thread. */
let isRunning = false;

/**
 * Starts to sample allocations in this thread. Only allocations from now on are seen.
 *
 * @throws {@link SamplingError} (`TENURE_PROFILE_SAMPLING`) while another run goes on, or if V8 refuses.
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option.
 *
 * @example
 * ```ts
 * import { sample } from 'tenure/profile/v8';
 *
 * function parseOrders() {
 *   return Array.from({ length: 10_000 }, (_, id) => ({ id, lines: [id] }));
 * }
 *
 * const sampling = sample({ intervalBytes: 1024 });
 * const orders = parseOrders();
 * const profile = await sampling.stop();
 * profile.functions().some(({ name }) => name === 'parseOrders'); // => true
 * orders.length; // => 10000
 * ```
 */
export function sample(options: SampleOptions = {}): Sampling {
  const settings = resolveOptions('sample', options, OPTIONS);
  if (isRunning) {
    throw new SamplingError(
      'sample: another run goes on in this thread, and V8 allows one. Stop it first.',
    );
  }
  return new SamplingRun(settings);
}

class SamplingRun implements Sampling {
  readonly #settings: Required<SampleOptions>;
  readonly #startedAt: number = Date.now();
  #profile: Promise<AllocationProfile> | undefined;

  constructor(settings: Required<SampleOptions>) {
    this.#settings = settings;
    const { intervalBytes, live, stackDepth } = settings;
    try {
      runCommand('HeapProfiler.startSampling', {
        samplingInterval: intervalBytes,
        stackDepth,
        includeObjectsCollectedByMajorGC: !live,
        includeObjectsCollectedByMinorGC: !live,
      });
    } catch (error) {
      throw new SamplingError('sample: V8 refused to sample; see the cause.', error);
    }
    isRunning = true;
  }

  async stop(): Promise<AllocationProfile> {
    this.#profile ??= this.#stop();
    return this.#profile;
  }

  [Symbol.dispose](): void {
    if (this.#profile !== undefined) return;
    this.#profile = Promise.reject(
      new SamplingError('stop: this run was disposed of. Call stop() before the end of its block.'),
    );
    this.#profile.catch(() => {}); // The rejection is for a later call of `stop()`.
    isRunning = false;
    try {
      runCommand('HeapProfiler.stopSampling');
    } catch {
      // Another profiler has ended it.
    }
  }

  async #stop(): Promise<AllocationProfile> {
    const { intervalBytes, live } = this.#settings;
    try {
      if (live) await hostGcSource()?.collect();
      const { profile } = runCommand<{ profile: RawProfile }>('HeapProfiler.stopSampling');
      return new AllocationProfile(profile, { intervalBytes, live, startedAt: this.#startedAt });
    } catch (error) {
      throw new SamplingError('stop: V8 gave no profile. Another profiler has ended it.', error);
    } finally {
      isRunning = false;
    }
  }
}
