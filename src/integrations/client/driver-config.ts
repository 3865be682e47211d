/** The configuration that a caller of `createClientPool` gives. The options of drivers are not known, so only its form is checked. */
import { InvalidArgumentError } from '../../core/errors.js';

/**
 * Expects an object that can have settings of a driver. Without this, an array, a Map or a URL would be an empty configuration: that of
 * the default server. `reads` says whether the driver finds settings in a value of another form. `hint` says how a connection string is
 * given. The error does not show the value: it may have a password.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for any other value.
 */
export function expectDriverConfig(
  config: unknown,
  hint: string,
  reads: (config: unknown) => boolean = () => false,
): void {
  if (hasSettings(config) || reads(config)) return;
  throw new InvalidArgumentError(
    `createClientPool: \`config\` must be an object with settings of its own. ${hint}`,
  );
}

/** Whether a value is a plain object, or an instance of a class that has properties of its own. */
function hasSettings(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null;
  return isPlain || Object.keys(value).length > 0;
}
