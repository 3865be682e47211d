import { createHash } from 'node:crypto';

/** An observation in 16 characters. Two that differ anywhere have, for all practical purposes, different digests. */
export function observationDigest(observation: unknown): string {
  return createHash('sha256').update(JSON.stringify(observation)).digest('hex').slice(0, 16);
}
