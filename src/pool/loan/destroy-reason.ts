/** The reason of a holder that destroys a resource. */

/** Gives the reason as the text that is counted and told: a holder without types may pass the error itself. */
export function destroyReason(reason: unknown): string {
  return typeof reason === 'string' ? reason : 'discarded';
}
