/**
 * Whether the presentation times of a live source leapt, as when a camera restarts behind a server that stays, or sets its clock. n is
 * counted by presentation time within an epoch, so that an epoch ends there (EX-8).
 *
 * Each step is held against the arrival clock and nothing is summed up: a camera's clock may drift for weeks, a network may hold frames
 * back and then deliver them at once, and neither is a jump.
 */

/** How far a step of presentation time may be back, or ahead of the time that passed. */
const TOLERANCE_MS = 5_000;

export class TimestampJump {
  #presentationMs: number | undefined;
  #arrivedAtMs = 0;

  /**
   * To be told of every decoded frame, in order, for frames far apart may arrive together; true where its time leapt. The step after
   * a jump is measured from where the jump led.
   *
   * @param presentationMs undefined where the frame has no time.
   * @param arrivedAtMs monotonic.
   */
  frame(presentationMs: number | undefined, arrivedAtMs: number): boolean {
    if (presentationMs === undefined) return false;
    const stepMs = this.#presentationMs === undefined ? 0 : presentationMs - this.#presentationMs;
    const passedMs = this.#presentationMs === undefined ? 0 : arrivedAtMs - this.#arrivedAtMs;
    this.#presentationMs = presentationMs;
    this.#arrivedAtMs = arrivedAtMs;
    return stepMs < -TOLERANCE_MS || stepMs - passedMs > TOLERANCE_MS;
  }
}
