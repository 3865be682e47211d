/**
 * A lease of bytes of a pool. The pool never refers to it, so V8 can collect a lease that its holder lost, and a watchdog then
 * knows for certain that the bytes do not come back.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { captureStack } from '../core/call-site.js';
import type { NodeId } from '../core/probe.js';
import { atLine } from '../core/site-sample.js';
import { withoutLease } from '../core/without-object.js';
import type { BufferPart } from './buffer-slab.js';
import { BYTES } from './format.js';
import { makeView } from './make-view.js';
import type { MemoryView } from './memory-view.js';
import type { ExportWatch } from './region.js';
import { type ViewError, ViewExportedError, ViewReleasedError } from './view-errors.js';

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
 * Releases a lease of which views are alive, its own among them. It is no private method, because V8 marks each object of a class
 * that has one: that costs 5 ns for each lease.
 */
let releaseWithViews: (lease: BufferLease, isForGood: boolean) => void;

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
    if (this.#part === null) throw used(this, this.#lender, this.#notes, 'bytes');
    return this.#part.bytes;
  }

  /**
   * A view of the bytes. It ends with the lease. Views that are made of it, and of {@link bytes}, are to be released before.
   *
   * @throws {@link ViewReleasedError} (`TENURE_VIEW_RELEASED`) after the release.
   */
  get view(): MemoryView<'B'> {
    const part = this.#part;
    if (part === null) throw used(this, this.#lender, this.#notes, 'view');
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
    const part = (this ?? withoutLease()).#part;
    if (part === null) {
      if (!this.#lender.countMisuse()) throw releasedAgain(this, this.#lender, this.#notes);
      return;
    }
    if (part.exports > 0) releaseWithViews(this, false);
    else {
      this.#part = null;
      const notes = this.#notes;
      if (notes !== null) noteEnd(this, notes);
      this.#lender.takeBack(part, notes, false);
    }
  }

  /** Calls {@link release}; has no effect after it. */
  [Symbol.dispose](): void {
    if ((this ?? withoutLease()).#part !== null) this.release();
  }

  /**
   * Ends the lease for a caller that cannot hold it any longer. Bytes with views alive are left to the views.
   *
   * @throws {@link ViewExportedError} (`TENURE_VIEW_EXPORTED`) if views of the bytes are alive. The lease has ended then.
   *
   * @internal
   */
  endForGood(): void {
    releaseWithViews(this, true);
  }

  static {
    releaseWithViews = (lease, isForGood) => {
      const [lender, notes, part, view] = [lease.#lender, lease.#notes, lease.#part, lease.#view];
      if (part === null) return;
      const exports = view === null || view.isReleased ? part.exports : part.exports - 1;
      const error =
        exports > 0 && !lender.countMisuse() ? exported(lender, notes, exports) : undefined;
      if (error !== undefined && !isForGood) throw error;
      lease.#part = null;
      if (view !== null) view.release();
      if (notes !== null) noteEnd(lease, notes);
      lender.takeBack(part, notes, exports > 0);
      if (error !== undefined) throw error;
    };
  }
}

function noteEnd(lease: BufferLease, { stack }: LeaseNotes): void {
  if (stack !== undefined) endStacks.set(lease, captureStack(noteEnd));
}

function exported({ name }: LeaseLender, notes: LeaseNotes | null, exports: number): ViewError {
  return new ViewExportedError(
    `${name}: the lease${taken(notes)} cannot be released while ${exports} of its views ${exports === 1 ? 'is' : 'are'} alive. Release the views first, or declare them with \`using\` after the lease.`,
    exports,
  );
}

function releasedAgain(
  lease: BufferLease,
  { name }: LeaseLender,
  notes: LeaseNotes | null,
): ViewError {
  return new ViewReleasedError(
    `${name}: the lease${taken(notes)} was released${atLine(endStacks.get(lease))}, and is released again${atLine(captureStack(releasedAgain))}. Release each lease once, or leave it to \`using\`.`,
  );
}

function used(
  lease: BufferLease,
  { name }: LeaseLender,
  notes: LeaseNotes | null,
  property: string,
): ViewError {
  return new ViewReleasedError(
    `${name}: \`${property}\` of the lease${taken(notes)} was used after its release${atLine(endStacks.get(lease))}. The bytes may be lent to another holder: lease bytes anew.`,
  );
}

function taken(notes: LeaseNotes | null): string {
  const where = atLine(notes?.stack);
  return where === '' ? '' : ` taken${where}`;
}
