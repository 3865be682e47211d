/** The frames of stacks. The loans of one leak share a stack, so the last few are kept. */
import { type Frame, parseFrames } from '../core/call-site.js';

const MAX_STACKS = 64;

export class ParsedStacks {
  readonly #framesOf = new Map<string, readonly Frame[]>();

  /** Gives the frames of a stack that `captureStack` took; none if it was not taken. */
  parse(stack: string | undefined): readonly Frame[] {
    if (stack === undefined) return [];
    let frames = this.#framesOf.get(stack);
    if (frames === undefined) {
      if (this.#framesOf.size >= MAX_STACKS) this.#framesOf.clear();
      frames = parseFrames(stack);
      this.#framesOf.set(stack, frames);
    }
    return frames;
  }
}
