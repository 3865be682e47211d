/** The figures of a {@link Watchdog}. */
export interface WatchdogStats {
  /** How many components are watched. */
  readonly components: number;
  /** How many loans are out. Of a pool of this package, also those from before it was watched. */
  readonly loansOut: number;
  /** How many loans of watched components have begun. */
  readonly loans: number;
  /** How many loans count as lost, without those of suppressed leaks. */
  readonly lost: number;
  /** How many loans are lost, or were ended twice, in leaks that the option `suppress` names. */
  readonly suppressed: number;
  /** How many of the lost loans are in no report, because there are more than `maxRecords` leaks. */
  readonly unreported: number;
  /** How many loans came back after they were reported as lost. */
  readonly retracted: number;
  /** How many scopes are running. */
  readonly scopes: number;
}
