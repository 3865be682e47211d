/**
 * The real collector, so that the watchdog can confirm what the simulated one found. V8 exposes it without a command-line
 * flag: the flag is set at run time and the function taken from a new context, which leaves `globalThis.gc` as it was.
 */
import { builtinModule } from '../core/host.js';

/** A collector that can be run on demand. */
export interface GcSource {
  /** Runs a full collection and resolves when the finalization callbacks it caused have run. */
  collect(): Promise<void>;
}

interface V8Module {
  setFlagsFromString(flags: string): void;
}

interface VmModule {
  runInNewContext(code: string): unknown;
}

/** Turns of the event loop after which finalization callbacks are given up on. V8 has needed one. */
const PATIENCE_TURNS = 20;

/** The host's collector, or `undefined` where the host does not expose one. */
export function hostGcSource(): GcSource | undefined {
  const v8 = builtinModule<V8Module>('v8');
  const vm = builtinModule<VmModule>('vm');
  if (v8 === undefined || vm === undefined) return undefined;
  let gc: (() => void) | undefined;
  return {
    async collect() {
      if (gc === undefined) {
        v8.setFlagsFromString('--expose-gc');
        gc = vm.runInNewContext('gc') as () => void;
      }
      await nextTurn(); // What was dereferenced in this turn is kept alive until it ends.
      await confirmedCollection(gc);
    },
  };
}

/** Collects until an object that nobody holds has been reported dead. */
async function confirmedCollection(gc: () => void): Promise<void> {
  let confirmed = false;
  const canary = new FinalizationRegistry<undefined>(() => {
    confirmed = true;
  });
  canary.register({}, undefined);
  for (let turn = 0; !confirmed && turn < PATIENCE_TURNS; turn++) {
    gc();
    await nextTurn();
  }
  await nextTurn();
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 0);
  });
}
