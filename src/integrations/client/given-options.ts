/** The options that a caller of `createClientPool` gives. */
import { checkOptions, type OptionChecks, type OptionTable } from '../../core/options.js';

/**
 * Gives the options that are present, own or inherited, without the defaults of the table: a pool of clients has defaults of its own.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an option that is unknown or malformed.
 */
export function givenOptions<O extends object>(options: O, table: OptionTable<O>): O {
  const checks: Record<string, unknown> = {};
  for (const [name, { check }] of Object.entries<{ readonly check: unknown }>(table)) {
    checks[name] = check;
  }
  return checkOptions<O>('createClientPool', options, checks as OptionChecks<O>);
}
