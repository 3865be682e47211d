/**
 * A region: the memory that a view is made of, with the count of the views that are alive on it. All views of a region share its
 * `DataView`, so a slice costs a third of `subarray`, which makes one of its own.
 */
import type { EntryPoint, NodeId } from '../core/probe.js';
import type { FormatInfo } from './format.js';
import type { Dims } from './layout.js';
import { ViewDetachedError } from './view-errors.js';

/** Told of the views of a region that are made and released. */
export interface ExportWatch {
  /** Gives the node of a view that the caller of `entry` has made. */
  opened(view: WeakKey, entry: EntryPoint): NodeId;
  /** Takes the node that {@link ExportWatch.opened} gave. */
  closed(node: NodeId): void;
}

/** Makes the view whose class reads such items fastest. `dims` is `null` for one dimension. */
export type ViewMaker<V> = (
  region: Region<V>,
  format: FormatInfo,
  offset: number,
  length: number,
  stride: number,
  dims: Dims | null,
  isReadonly: boolean,
) => V;

/** Memory as the functions that read all of it see it. */
export interface Memory {
  /** Whether the buffer can shrink under the views. */
  readonly isResizable: boolean;
  /**
   * Gives the bytes, without copying them.
   *
   * @throws {@link ViewDetachedError} (`TENURE_VIEW_DETACHED`) if the memory is gone.
   */
  bytes(): Uint8Array;
}

/** Memory that views of class `V` are made of. */
export class Region<V> implements Memory {
  readonly buffer: ArrayBufferLike;
  readonly byteOffset: number;
  readonly byteLength: number;
  /** Makes a view of the region. It stands here because a view's class cannot import the classes that extend it. */
  readonly makeView: ViewMaker<V>;
  /** Whether the buffer can shrink under the views. `DataView` is ten times slower then. */
  readonly isResizable: boolean;
  /** How many views are alive. */
  exports = 0;
  /** The observer of the views, if there is one. */
  watch: ExportWatch | null = null;
  #data: DataView | undefined;
  #bytes: Uint8Array | undefined;

  constructor(
    buffer: ArrayBufferLike,
    byteOffset: number,
    byteLength: number,
    makeView: ViewMaker<V>,
  ) {
    this.buffer = buffer;
    this.byteOffset = byteOffset;
    this.byteLength = byteLength;
    this.makeView = makeView;
    this.isResizable = canResize(buffer);
  }

  /**
   * The one `DataView` of the region.
   *
   * @throws {@link ViewDetachedError} (`TENURE_VIEW_DETACHED`) if the memory is gone before it was first needed.
   */
  get data(): DataView {
    if (this.#data === undefined) {
      try {
        this.#data = new DataView(this.buffer, this.byteOffset, this.byteLength);
      } catch (error) {
        throw goneError(this.buffer, error);
      }
    }
    return this.#data;
  }

  bytes(): Uint8Array {
    // The array of memory that is gone has no bytes. But on Node 20 and 22, optimized code may read its former length after a transfer,
    // unless the buffer is resizable.
    const length = this.isResizable ? this.#bytes?.length : undefined;
    if (length !== this.byteLength || length === 0) this.checkAttached();
    this.#bytes ??= new Uint8Array(this.buffer, this.byteOffset, this.byteLength);
    return this.#bytes;
  }

  /** Throws {@link ViewDetachedError} (`TENURE_VIEW_DETACHED`) if the buffer was transferred, or is too short now. */
  checkAttached(): void {
    const { data } = this;
    try {
      void data.byteLength;
    } catch (error) {
      throw goneError(this.buffer, error);
    }
  }
}

/** Whether a buffer can change its length. */
export function canResize(buffer: ArrayBufferLike): boolean {
  const { resizable, growable } = buffer as { resizable?: boolean; growable?: boolean };
  return resizable === true || growable === true;
}

/** Makes the error of memory that is gone, with what the engine threw. */
export function goneError({ byteLength }: ArrayBufferLike, cause: unknown): ViewDetachedError {
  const how =
    byteLength > 0
      ? `its buffer has shrunk to ${byteLength} bytes. Grow the buffer again, or make a new view`
      : 'its buffer was transferred, or has shrunk to 0 bytes. Make the view from the buffer that has the bytes now';
  return new ViewDetachedError(`The memory of the view is gone: ${how}.`, cause);
}
