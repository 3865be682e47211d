/** The text of an error that was thrown by foreign code, for the message of an error of ours. */
import { isError } from './is-error.js';
import { maskSecrets } from './secrets.js';

/** Gives an error's name and message, or the text of any other value, without secrets, for the end of a sentence. Never throws: anything may be thrown. */
export function errorText(error: unknown): string {
  try {
    const text = isError(error) ? `${error.name}: ${error.message}` : String(error);
    return maskSecrets(text).replace(/\.$/, '');
  } catch {
    return 'an error without a text';
  }
}
