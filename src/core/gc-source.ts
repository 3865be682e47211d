/**
 * Runs V8's collector on demand, to prove that an object is dead. No command-line flag is needed: the flag is set at run time,
 * and the function is taken from a new context. `globalThis.gc` stays as it was.
 */
import { nameErrorClass, TenureError } from './errors.js';
import { builtinModule } from './host.js';
import { nextTurn } from './host-timers.js';

/** A collector that can be run on demand. */
export interface GcSource {
  /** Runs a full collection. Resolves when the finalization callbacks that it caused have run. */
  collect(): Promise<void>;
  /**
   * Runs a full collection before it returns, and waits for no callback. Measurements use it: a promise that is awaited after
   * the collection is garbage itself. Absent where a source can only collect later.
   */
  collectNow?(): void;
}

interface V8Module {
  setFlagsFromString(flags: string): void;
}

interface VmModule {
  runInNewContext(code: string): unknown;
}

/** V8 finds some objects unused only in the second collection. */
const MIN_TURNS = 2;

/** How many turns of the event loop to wait for a finalization callback. V8 has needed one. */
const MAX_TURNS = 20;

/** Gives the host's collector, or `undefined` where the host does not expose one. */
export function hostGcSource(): GcSource | undefined {
  const exposed = bunsCollector() ?? v8sCollector();
  if (exposed === undefined) return undefined;
  return {
    async collect() {
      const gc = exposed();
      await nextTurn(); // V8 keeps what was dereferenced in this turn alive until the turn ends.
      await collectUntilConfirmed(gc);
    },
    collectNow: () => exposed()(),
  };
}

/** Bun has modules named `v8` and `vm`, and another engine. */
function bunsCollector(): (() => () => void) | undefined {
  const { Bun } = globalThis as { Bun?: { gc(isSynchronous: true): void } };
  return Bun && (() => () => Bun.gc(true));
}

function v8sCollector(): (() => () => void) | undefined {
  const v8 = builtinModule<V8Module>('v8');
  const vm = builtinModule<VmModule>('vm');
  if (v8 === undefined || vm === undefined) return undefined;
  let gc: (() => void) | undefined;
  return () => {
    if (gc === undefined) {
      v8.setFlagsFromString('--expose-gc');
      gc = vm.runInNewContext('gc') as () => void;
    }
    return gc;
  };
}

/** Collects until V8 has reported the death of an object that nothing holds, and twice at least. */
async function collectUntilConfirmed(gc: () => void): Promise<void> {
  const death = registerDeath();
  for (let turn = 0; turn < MIN_TURNS || (!death.isReported && turn < MAX_TURNS); turn++) {
    gc();
    await nextTurn();
  }
  await nextTurn();
}

interface Death {
  isReported: boolean;
}

/** The registry lives as long as the process: V8 forgets the callbacks of one that is collected itself. */
const deaths = new FinalizationRegistry<Death>((death) => {
  death.isReported = true;
});

/** Registers an object that nothing holds. It is made in a call of its own: a suspended function may hold what it has made. */
function registerDeath(): Death {
  const death: Death = { isReported: false };
  deaths.register({}, death);
  return death;
}

/** A call that needs V8's collector where the host exposes none. Code `TENURE_NO_COLLECTOR`. */
export class NoCollectorError extends TenureError {
  /** `advice` says what the caller can do. */
  constructor(
    advice: string = 'watchdog.check: leave `forceGc` out, or give the watchdog a `gcSource`.',
  ) {
    super(`This host exposes no garbage collector. ${advice}`, { code: 'TENURE_NO_COLLECTOR' });
  }

  static {
    nameErrorClass(NoCollectorError, 'NoCollectorError');
  }
}
