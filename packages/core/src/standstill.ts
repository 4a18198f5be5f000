/**
 * Whether work moves (I7). Pure: times are milliseconds of one monotonic clock. What stands still is what is held while nothing comes of
 * anything; who holds nothing waits for work, and nobody is to blame for time in which another keeps it from moving.
 */

export type Work = {
  /** What is in hand now. */
  readonly held: number;
  /** What has come of any of it ever. */
  readonly done: number;
  /** Whether nothing outside keeps it from moving. */
  readonly canMove: boolean;
};

export class Standstill {
  #movedAtMs = Number.NEGATIVE_INFINITY;
  #done: number | undefined;

  /** For how long it has stood still: to be asked again and again, since it knows what it saw. */
  look(nowMs: number, { held, done, canMove }: Work): number {
    if (held === 0 || done !== this.#done || !canMove) this.#movedAtMs = nowMs;
    this.#done = done;
    return nowMs - this.#movedAtMs;
  }
}
