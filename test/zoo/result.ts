/** What the process of a level says of a program. */
import type { Outcome } from './zoo.js';

export interface Result extends Pick<Outcome, 'verdict'> {
  readonly isLeak: boolean;
}

export function isRight({ verdict }: Pick<Outcome, 'verdict'>): boolean {
  return verdict === 'found' || verdict === 'quiet';
}
