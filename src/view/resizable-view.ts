/** Views of one dimension over a buffer that can change its length. */
import type { Format, Item } from './format.js';
import { readResizable, writeResizable } from './resizable-items.js';
import { StridedView } from './strided-view.js';

/** A view whose items are looked for anew at each access, because the buffer may have shrunk. */
export class ResizableView<F extends Format = Format> extends StridedView<F> {
  readonly #view = this.open('at');
  readonly #stride = this.#view.layout.strides[0] as number;
  /** How many items can be read without more checks: 0 after the release. */
  #fastLength = this.length;

  override at(...index: number[]): Item<F>;
  override at(index: number, second?: number): unknown {
    const { region, format, layout } = this.#view;
    return second === undefined && this.#isItem(index)
      ? readResizable(region, layout.offset + index * this.#stride, format)
      : this.slowAt(index, second);
  }

  override set(index: number | readonly number[], value: Item<F>): void {
    const { region, format, layout, isReadonly } = this.#view;
    if (this.#isItem(index) && !isReadonly) {
      writeResizable(region, layout.offset + index * this.#stride, format, value);
    } else this.slowSet(index, value);
  }

  /** @internal */
  protected override close(): void {
    this.#fastLength = 0;
  }

  #isItem(index: unknown): index is number {
    return typeof index === 'number' && index >>> 0 === index && index < this.#fastLength;
  }
}
