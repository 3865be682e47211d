/** Names of scopes without the ids in them, so that all requests of one route count as one. */

const ID =
  /(?<![a-z\d])(?:[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}|(?=[a-f]*\d)[\da-f]{8,}|(?=(?:[a-z]*\d){4})[a-z\d]{20,}|\d+)(?![a-z\d])/gi;

/**
 * Replaces the ids in the name of a scope by `:id`: whole numbers, UUIDs, hexadecimal numbers of 8 digits and more, and
 * letters and digits of at least 20 characters with 4 digits among them, as a ULID or a cuid is.
 * `GET /v1/orders/17` becomes `GET /v1/orders/:id`. O(length).
 */
export function withoutIds(name: string): string {
  return name.replace(ID, ':id');
}
