/** The configuration that a caller of `createClientPool` gives. The options of drivers are not known, so only its form is checked. */
import { InvalidArgumentError } from '../../core/errors.js';

/** Methods of pools and of connections: a pool in place of its settings would be those of the default server. */
const METHODS = ['query', 'getConnection', 'acquire', 'lease'] as const;

/**
 * Expects an object that can have settings of a driver, its own or inherited. Without this, an array, a Map or a URL would be an empty
 * configuration: that of the default server. `hint` says how a connection string is given. The error does not show the value: it may
 * have a password.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for any other value.
 */
export function expectDriverConfig(config: unknown, hint: string): void {
  const method = METHODS.find((name) => isMethodOf(config, name));
  if (method !== undefined) {
    throw new InvalidArgumentError(
      `createClientPool: \`config\` has ${method}(): it is a pool or a connection. Give its settings, or adopt the pool by \`adoptPool\`.`,
    );
  }
  if (hasSettings(config)) return;
  throw new InvalidArgumentError(
    `createClientPool: \`config\` must be an object with settings, among them \`user\` if they are inherited. ${hint}`,
  );
}

/**
 * Throws {@link InvalidArgumentError} if `config` has the limit that the driver's own pool calls `name`, and the options have no `max`: a
 * connection ignores it.
 */
export function refuseLimit(config: object, name: string, max: number | undefined): void {
  if (max !== undefined || !(name in config)) return;
  throw new InvalidArgumentError(
    `createClientPool: \`${name}\` of \`config\` has no effect on a connection. Give \`{ max }\` as the second argument.`,
  );
}

function isMethodOf(value: unknown, name: string): boolean {
  return typeof (value as Readonly<Record<string, unknown>> | null)?.[name] === 'function';
}

/** Whether a value is a plain object, one that has properties of its own, or one that inherits the settings of a driver. */
function hasSettings(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null;
  return isPlain || Object.keys(value).length > 0 || 'user' in value; // A URL has a `host`, but no `user`.
}
