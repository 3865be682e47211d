import { createHash } from 'node:crypto';

/** Returns a digest of an observation, in 16 characters. Two different observations practically never share one. */
export function observationDigest(observation: unknown): string {
  return createHash('sha256').update(JSON.stringify(observation)).digest('hex').slice(0, 16);
}
