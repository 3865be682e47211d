/** The configuration that a caller of `createClientPool` gives. The options of drivers are not known, so only its form is checked. */
import { InvalidArgumentError } from '../../core/errors.js';

/**
 * Expects an object that can have settings of a driver, its own or inherited. Without this, an array, a Map or a URL would be an empty
 * configuration: that of the default server. `hint` says how a connection string is given. The error does not show the value: it may
 * have a password.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for any other value.
 */
export function expectDriverConfig(config: unknown, hint: string): void {
  if (hasSettings(config)) return;
  throw new InvalidArgumentError(
    `createClientPool: \`config\` must be an object with settings, among them \`user\` if they are inherited. ${hint}`,
  );
}

/** Whether a value is a plain object, one that has properties of its own, or one that inherits the settings of a driver. */
function hasSettings(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null;
  return isPlain || Object.keys(value).length > 0 || 'user' in value; // A URL has a `host`, but no `user`.
}
