/**
 * When a clean-up fails because of, or after, an earlier error, the later one is what the caller gets, and JavaScript
 * forgets the earlier. Python keeps it as `__context__`; here it becomes the `cause` of an error that has none.
 */

/** `later`, which remembers `earlier` as its cause if it can and nobody gave it another. */
export function keepCause(later: unknown, earlier: unknown): unknown {
  if (later instanceof Error && !('cause' in later) && !causesOf(earlier).has(later)) {
    Reflect.defineProperty(later, 'cause', { value: earlier, writable: true, configurable: true });
  }
  return later;
}

/** The error and its causes. An error that is thrown on from among them must not get a cause: that would be a circle. */
function causesOf(error: unknown): Set<unknown> {
  const causes = new Set<unknown>();
  for (let link = error; !causes.has(link); link = link instanceof Error ? link.cause : link) {
    causes.add(link);
  }
  return causes;
}
