/** Where and for whom a loan was asked for. */
import type { LifetimeNode } from './lifetime-graph.js';
import type { OpenScope } from './open-scope.js';

/** The caller that asked for a loan. */
export interface CallOrigin {
  /** The component's function that the caller called. Its name is read for a report only: reading it costs some 20 ns. */
  readonly call: { readonly name: string };
  /** The caller's stack as the engine prints it; `undefined` if it was not taken. */
  readonly stack: string | undefined;
  /** For a loan that was ended twice: the stack that ended it first, if it was taken. */
  readonly earlier?: string;
  /** The caller's scope; `undefined` outside of any scope. */
  readonly scope: OpenScope | undefined;
  /** The value that was being created when the caller asked, and that owns the loan; `undefined` if the scope owns it. */
  readonly owner: LifetimeNode | undefined;
  /** Set if the loan was handed over to the scope, or without one to the process, which may hold it as long as it runs. */
  readonly isHandedOver?: boolean;
  /** Set if the loan was taken from the pool underneath its component, so that its caller is not known. */
  readonly isDirect?: true;
  /** Set if the component has told of the loan when it was long out: the watchdog had not tracked it. */
  readonly isLate?: true;
}

/** The origin of what no caller has asked for. */
export const NO_ORIGIN: CallOrigin = {
  call: { name: '' },
  stack: undefined,
  scope: undefined,
  owner: undefined,
};

/** The origin of a loan that was taken from the pool underneath its component. */
export const TAKEN_DIRECTLY: CallOrigin = { ...NO_ORIGIN, isDirect: true };
