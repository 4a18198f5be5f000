/**
 * Who of those that beat is alive, as one watcher sees it: whoever was heard within the lease. Pure: times are milliseconds of the
 * watcher's own monotonic clock, so no two hosts' clocks are compared (D11).
 *
 * Invariant: time in which nobody could be heard counts against nobody. A watcher that was paused, or away from the bus, begins
 * anew with everybody alive; it may be wrong about them for one lease, and never takes what is theirs for that reason.
 */

export type LivenessOptions = {
  /** How long one that is not heard counts as alive. */
  readonly leaseMs: number;
  /** The longest time between two looks of a watcher that runs. */
  readonly pauseMs: number;
  /** How long one that is not heard is remembered. */
  readonly buryMs: number;
};

export class Liveness {
  readonly #options: LivenessOptions;
  readonly #heardAtMs = new Map<string, number>();
  #lookedAtMs: number | undefined;

  constructor(options: LivenessOptions) {
    this.#options = options;
  }

  heard(id: string, nowMs: number): void {
    this.#heardAtMs.set(id, nowMs);
  }

  /** It said goodbye, or is buried. */
  forget(id: string): void {
    this.#heardAtMs.delete(id);
  }

  /**
   * Those that are alive, sorted. To be called more often than the pause.
   * @param canHear whether the watcher has heard all that was said since its last look.
   */
  look(nowMs: number, canHear: boolean): readonly string[] {
    const { leaseMs, pauseMs } = this.#options;
    const wasPaused = this.#lookedAtMs !== undefined && nowMs - this.#lookedAtMs > pauseMs;
    this.#lookedAtMs = nowMs;
    if (wasPaused || !canHear) for (const id of this.#heardAtMs.keys()) this.#heardAtMs.set(id, nowMs);
    return [...this.#heardAtMs]
      .filter(([, atMs]) => nowMs - atMs < leaseMs)
      .map(([id]) => id)
      .sort();
  }

  /** Those that have been dead for so long that nobody need remember them, as of the last look. */
  get buried(): readonly string[] {
    const nowMs = this.#lookedAtMs ?? 0;
    return [...this.#heardAtMs].filter(([, atMs]) => nowMs - atMs >= this.#options.buryMs).map(([id]) => id);
  }
}
