/** Frames a second over the last seconds. Pure: told of frames and the time. */

const SPAN_MS = 4_000;
/** Over less time a burst, such as cameras begin with, is no rate. */
const LEAST_MS = 1_000;

export class FrameRate {
  /** Oldest first; frames that came until `atMs`, since the one before. */
  readonly #counts: { readonly atMs: number; readonly frames: number }[] = [];
  #since: number | undefined;

  /** So many frames came since the last call. Those of the first came in a time that nobody knows. @param nowMs of a monotonic clock. */
  count(frames: number, nowMs: number): void {
    if (this.#since === undefined) this.#since = nowMs;
    else this.#counts.push({ atMs: nowMs, frames });
  }

  /** 0 until it is known. */
  perSecond(nowMs: number): number {
    while (this.#counts[0] && nowMs - this.#counts[0].atMs > SPAN_MS) this.#since = this.#counts.shift()?.atMs;
    const spanMs = nowMs - (this.#since ?? nowMs);
    const frames = this.#counts.reduce((sum, count) => sum + count.frames, 0);
    return spanMs < LEAST_MS ? 0 : Math.round((frames * 100_000) / spanMs) / 100;
  }
}
