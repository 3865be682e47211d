/** The marks of a profile. */

/** The marks of a profile. The body of {@link profileMemory} gets it. */
export interface MemoryProfile {
  /**
   * Ends a row of the table: what was retained since the last mark is charged to this line. Marks in a loop add up to one row.
   * Resolves when the memory has been read, so await it.
   *
   * Rejects with `TENURE_INVALID_ARGUMENT` for an empty label, and with `TENURE_PROFILE_ENDED` after the body has ended.
   */
  mark(label: string): Promise<void>;
}

/** A profile that can be marked at a line that the caller knows. */
export interface MarkedProfile extends MemoryProfile {
  markAt(label: string, site: string): Promise<void>;
}
