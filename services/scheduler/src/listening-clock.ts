/**
 * Time in which this process listened. A process that got no processor, or was stopped, heard nobody, and what was said to it meanwhile
 * waits in its sockets: that time tells nothing of the others. Pure: told the time, it never asks.
 */

export class ListeningClock {
  readonly #tickMs: number;
  #lastMs: number;
  #nowMs = 0;

  /** @param tickMs how often `tick` is meant to be called: what passes beyond twice that was not listened to. */
  constructor(tickMs: number, nowMs: number) {
    this.#tickMs = tickMs;
    this.#lastMs = nowMs;
  }

  /** In milliseconds since it was made, as of the last tick. */
  get nowMs(): number {
    return this.#nowMs;
  }

  tick(nowMs: number): void {
    this.#nowMs += Math.min(nowMs - this.#lastMs, 2 * this.#tickMs);
    this.#lastMs = nowMs;
  }
}
