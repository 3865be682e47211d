/** What stands for a component where there is none: the scopes of one name, an object that is expected to die. */
import type { ComponentStats } from '../core/probe.js';
import type { NodeGeneration } from '../gc/memory/node-generation.js';
import type { HeapEvidence } from './heap-evidence.js';
import { HoldTimes } from './hold-times.js';
import { ledgerRecord } from './ledger-record.js';
import type { Loan, LoanSource } from './loan.js';
import { Shortage } from './shortage.js';

export class PlainSource implements LoanSource {
  readonly kind: string;
  readonly name: string;
  readonly releaseAdvice: string | undefined = undefined;
  readonly endedBy: string | undefined = undefined;
  readonly lendsShared: boolean = false;
  readonly isUnlimited: boolean = false;
  readonly isClosed: boolean = false;
  readonly entryMillis: number = Number.POSITIVE_INFINITY;
  readonly isBounded: boolean = false;
  readonly holdTimes: HoldTimes = new HoldTimes();
  readonly shortage: Shortage = new Shortage(undefined);
  readonly mayBeCollected: boolean = false;
  readonly youngCollections: number = 0;
  readonly node: undefined = undefined;

  constructor(kind: string, name: string) {
    this.kind = kind;
    this.name = name;
  }

  /** Gives what stands for the object in the ledger, from `now` on. */
  loan(now: number): Loan {
    return ledgerRecord(this, now);
  }

  stats(): ComponentStats | undefined {
    return undefined;
  }

  generationOf(): NodeGeneration {
    return 'untracked';
  }

  longestOf(): number {
    return 0;
  }

  outAtSite(): number {
    return 0;
  }

  evidenceOf(): HeapEvidence {
    return { path: [] };
  }

  confirmsOut(): boolean {
    return true;
  }

  captureNextStacks(): void {}

  settle(): void {}

  scopeRenamed(): void {}

  abandoned(): void {}
}
