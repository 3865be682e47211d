/**
 * Recognises errors of every realm. `instanceof Error` is false for an error of another realm: of a vm context, of a Jest
 * test file, of a frame.
 */

interface ErrorClass {
  isError?(value: unknown): boolean;
}

const TAGS = new Set(['[object Error]', '[object DOMException]']);

/** Whether a value is an error, of whatever realm. */
export function isError(value: unknown): value is Error {
  if (typeof value !== 'object' || value === null) return false;
  try {
    return (
      value instanceof Error ||
      (Error as ErrorClass).isError?.(value) === true ||
      TAGS.has(Object.prototype.toString.call(value))
    );
  } catch {
    return false; // A proxy that throws.
  }
}
