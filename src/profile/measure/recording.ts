/** One run of a profiled body: takes a reading at each mark, and adds it to the table. */
import {
  applicationFrame,
  captureStack,
  formatPosition,
  parseFrames,
} from '../../core/call-site.js';
import type { Clock } from '../../core/clock.js';
import { TenureError } from '../../core/errors.js';
import { aName, argumentError } from '../../core/options.js';
import type { MarkedProfile } from './memory-profile.js';
import type { MemoryReader, MemoryUsage } from './memory-source.js';
import type { OtherWork } from './other-work.js';
import type { RowTable } from './row-table.js';
import type { Timeline } from './timeline.js';

/** What a recording needs. */
export interface RecordingParts {
  readonly reader: MemoryReader;
  readonly table: RowTable;
  readonly timeline: Timeline;
  readonly clock: Clock;
  readonly otherWork: OtherWork;
  /** When the timeline began. */
  readonly startedAt: number;
}

export class Recording implements MarkedProfile {
  readonly #parts: RecordingParts;
  /** The reading that the next row begins with. */
  #before: MemoryUsage;
  /** Settles when all marks so far have been read. So marks without an `await` are read one after the other, too. */
  #pending: Promise<void> = Promise.resolve();
  #hasEnded = false;

  /** Begins with the reader's last reading. */
  constructor(parts: RecordingParts) {
    this.#parts = parts;
    this.#before = parts.reader.last;
  }

  mark(label: string): Promise<void> {
    const error = this.#hasEnded
      ? new TenureError('mark: the profile has ended. Await each mark before the body returns.', {
          code: 'TENURE_PROFILE_ENDED',
        })
      : argumentError('mark', 'label', label, aName);
    if (error !== undefined) return Promise.reject(error);
    return this.markAt(label, callSite(this.mark));
  }

  /** Ends a row at a line that the caller knows. */
  markAt(label: string, site: string): Promise<void> {
    this.#pending = this.#pending.then(() => this.#read(label, site));
    return this.#pending;
  }

  /** Waits for the marks, and refuses further ones. The error of a mark is that of its caller. */
  async end(): Promise<void> {
    this.#hasEnded = true;
    await this.#pending.catch(() => {});
  }

  async #read(label: string, site: string): Promise<void> {
    const { reader, table, timeline, clock, otherWork, startedAt } = this.#parts;
    const before = this.#before;
    const after = await reader.read();
    const hasGrown = table.add(label, site, before, after, otherWork.takeOverlap());
    timeline.add(clock.now() - startedAt, after, label);
    // A new row takes memory, which must not be charged to the next one.
    this.#before = hasGrown ? await reader.read() : after;
  }
}

/** Gives the application's line that called `entry`: `file:line:column`. */
export function callSite(entry: (...args: never[]) => unknown): string {
  const frame = applicationFrame(parseFrames(captureStack(entry)));
  return frame === undefined ? '(unknown line)' : formatPosition(frame);
}
