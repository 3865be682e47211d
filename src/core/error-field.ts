/** Reads the texts of an error of foreign code, whose getters may throw. */

/** Gives a field of an error if it is a text; `undefined` otherwise. Never throws. */
export function errorField(error: Error, field: 'name' | 'message' | 'code'): string | undefined {
  try {
    const value = (error as { [F in typeof field]?: unknown })[field];
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
