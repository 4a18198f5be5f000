/**
 * Of a file that is decoded again, which frames are published: those from `fromN` on, since what is before is answered (EX-4). By presentation time
 * slot `fromN` may turn out to be a gap, and then the frame before it stands in. Pure.
 */

export class ResumedFrames<F extends { readonly n: number }> {
  readonly #fromN: number;
  readonly #hasGaps: boolean;
  readonly #repeated: (frame: F) => void;
  /** The newest frame before `fromN`. */
  #standIn: F | undefined;

  /** @param repeated called with each frame that is not published again. */
  constructor(fromN: number, hasGaps: boolean, repeated: (frame: F) => void) {
    this.#fromN = fromN;
    this.#hasGaps = hasGaps;
    this.#repeated = repeated;
  }

  /** What is to be published now, in order. */
  next(frame: F): readonly F[] {
    if (frame.n < this.#fromN) {
      this.end();
      if (this.#hasGaps) this.#standIn = frame;
      else this.#repeated(frame);
      return [];
    }
    const standIn = this.#standIn;
    if (standIn === undefined) return [frame];
    this.#standIn = undefined;
    if (frame.n > this.#fromN) return [standIn, frame];
    this.#repeated(standIn);
    return [frame];
  }

  /** No frame comes any more. */
  end(): void {
    if (this.#standIn) this.#repeated(this.#standIn);
    this.#standIn = undefined;
  }
}
