/**
 * A lease of bytes of a pool. The pool never refers to it, so V8 can collect a lease that its holder lost, and a watchdog then
 * knows for certain that the bytes do not come back.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { captureStack } from '../core/call-site.js';
import type { NodeId } from '../core/probe.js';
import { atLine } from '../core/site-sample.js';
import type { BufferPart } from './buffer-slab.js';
import { BYTES } from './format.js';
import type { MemoryView } from './memory-view.js';
import type { ExportWatch } from './region.js';
import { makeView } from './typed-views.js';
import { ViewExportedError, ViewReleasedError } from './view-errors.js';

/** What is known of a lease beyond its memory. Most leases have none. */
export interface LeaseNotes {
  /** The stack that took the lease, if it is in the sample. */
  readonly stack: string | undefined;
  readonly watch: ExportWatch | null;
  readonly node: NodeId | undefined;
}

/** The pool as its leases see it. */
export interface LeaseLender {
  readonly name: string;
  /** Takes the memory back. With `isLeftToViews`, views of it live on. */
  takeBack(part: BufferPart, notes: LeaseNotes | null, isLeftToViews: boolean): void;
  /** Counts a misuse if the observer asks for it. Gives `false` if the misuse is to be thrown. */
  countMisuse(): boolean;
}

/** The stacks that ended leases, as far as those of the leases were captured. */
const endStacks = new WeakMap<BufferLease, string>();

/**
 * Bytes of a {@link BufferPool}, held until the lease is released with `using` or `release()`. The bytes are those that an earlier
 * holder left, unless the pool has `zero`.
 */
export class BufferLease implements Disposable {
  readonly #lender: LeaseLender;
  #notes: LeaseNotes | null;
  #part: BufferPart | null;
  #view: MemoryView<'B'> | null;

  /** @internal */
  constructor(lender: LeaseLender, part: BufferPart) {
    this.#lender = lender;
    this.#notes = null;
    this.#part = part;
    this.#view = null;
  }

  /** @internal */
  note(notes: LeaseNotes): void {
    this.#notes = notes;
  }

  /**
   * As many bytes as were asked for. Keep no array longer than the lease: a later holder gets the same memory, and no array can
   * be made to refuse. A {@link view} refuses.
   *
   * @throws {@link ViewReleasedError} (`TENURE_VIEW_RELEASED`) after the release.
   */
  get bytes(): Uint8Array {
    if (this.#part === null) throw this.#used('bytes');
    return this.#part.bytes;
  }

  /**
   * A view of the bytes. It ends with the lease. Views that are made of it, and of {@link bytes}, are to be released before.
   *
   * @throws {@link ViewReleasedError} (`TENURE_VIEW_RELEASED`) after the release.
   */
  get view(): MemoryView<'B'> {
    const part = this.#part;
    if (part === null) throw this.#used('view');
    if (this.#view === null || this.#view.isReleased) {
      const { region, length } = part;
      this.#view = makeView(region, BYTES, 0, length, 1, null, false) as MemoryView<'B'>;
    }
    return this.#view;
  }

  /**
   * Gives the bytes back. O(1), without `zero`.
   *
   * At the watchdog level `counters` neither error is thrown. A double release then has no effect. Bytes with views alive are left
   * to these views and to V8's collector. Both count as `misuse` in the figures of the pool.
   *
   * @throws {@link ViewReleasedError} (`TENURE_VIEW_RELEASED`) if the lease was released before, with the lines of both;
   * {@link ViewExportedError} (`TENURE_VIEW_EXPORTED`) while views of the bytes are alive. The lease goes on then.
   */
  release(): void {
    const part = this.#part;
    if (part === null) {
      if (!this.#lender.countMisuse()) throw this.#releasedAgain();
      return;
    }
    const exports = part.exports === 0 ? 0 : this.#foreignViews(part);
    if (exports > 0 && !this.#lender.countMisuse()) throw this.#exported(exports);
    this.#end(part, exports > 0);
  }

  /** Calls {@link release}; has no effect after it. */
  [Symbol.dispose](): void {
    if (this.#part !== null) this.release();
  }

  /**
   * Ends the lease for a caller that cannot hold it any longer. Bytes with views alive are left to the views.
   *
   * @throws {@link ViewExportedError} (`TENURE_VIEW_EXPORTED`) if views of the bytes are alive. The lease has ended then.
   *
   * @internal
   */
  endForGood(): void {
    const part = this.#part;
    if (part === null) return;
    const exports = this.#foreignViews(part);
    const error = exports > 0 && !this.#lender.countMisuse() ? this.#exported(exports) : undefined;
    this.#end(part, exports > 0);
    if (error !== undefined) throw error;
  }

  #end(part: BufferPart, isLeftToViews: boolean): void {
    this.#part = null;
    if (this.#view !== null) this.#view.release();
    const notes = this.#notes;
    if (notes?.stack !== undefined) {
      endStacks.set(this, captureStack(BufferLease.prototype.release));
    }
    this.#lender.takeBack(part, notes, isLeftToViews);
  }

  #foreignViews({ exports }: BufferPart): number {
    return this.#view === null || this.#view.isReleased ? exports : exports - 1;
  }

  #exported(exports: number): ViewExportedError {
    return new ViewExportedError(
      `${this.#lender.name}: the lease${this.#taken()} cannot be released while ${exports} of its views ${exports === 1 ? 'is' : 'are'} alive. Release the views first, or declare them with \`using\` after the lease.`,
      exports,
    );
  }

  #releasedAgain(): ViewReleasedError {
    return new ViewReleasedError(
      `${this.#lender.name}: the lease${this.#taken()} was released${atLine(endStacks.get(this))}, and is released again${atLine(captureStack(BufferLease.prototype.release))}. Release each lease once, or leave it to \`using\`.`,
    );
  }

  #used(property: string): ViewReleasedError {
    return new ViewReleasedError(
      `${this.#lender.name}: \`${property}\` of the lease${this.#taken()} was used after its release${atLine(endStacks.get(this))}. The bytes may be lent to another holder: lease bytes anew.`,
    );
  }

  #taken(): string {
    const where = atLine(this.#notes?.stack);
    return where === '' ? '' : ` taken${where}`;
  }
}
