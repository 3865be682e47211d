/** The text of an error that was thrown by foreign code, for the message of an error of ours. */
import { isError } from './is-error.js';
import { isObject } from './is-object.js';
import { maskSecrets } from './secrets.js';

/** How many errors of an `AggregateError` are told. */
const MAX_ERRORS = 4;

/**
 * Gives an error's name and message, or the text of any other value, without secrets, for the end of a sentence. Never throws: anything
 * may be thrown.
 */
export function errorText(error: unknown): string {
  try {
    const reason = reasonOf(error);
    const text = isError(error) ? error.name + (reason && `: ${reason}`) : reason;
    return maskSecrets(text).replace(/\.$/, '');
  } catch {
    return 'an error without a text';
  }
}

/**
 * The message of an error, or of an object in the place of one. Without one, the messages of its errors, or its code: Node gives no message
 * to the error of a host with several addresses.
 */
function reasonOf(error: unknown, isInner = false): string {
  if (!isObject(error)) return String(error);
  const { message, code, errors } = error as Readonly<Record<string, unknown>>;
  if (typeof message === 'string' && message !== '') return message;
  const inner = Array.isArray(errors) && !isInner ? errors.slice(0, MAX_ERRORS) : [];
  const reasons = new Set(inner.map((each) => reasonOf(each, true)));
  return [...reasons].join('; ') || String(code ?? (isError(error) ? '' : error));
}
