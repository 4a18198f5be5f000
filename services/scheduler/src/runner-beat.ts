/**
 * Whether a runner whose conversation broke lives still: then the network failed and not the runner. Its beats come over the bus, another
 * way than its answers, once a second (G-1).
 */

type Asked = { readonly fromBeat: number; readonly resolve: (lives: boolean) => void; readonly limit: NodeJS.Timeout };

/** Of two beats the second was certainly sent after the question. */
const BEATS = 2;
const STILL_MS = 5_000;

export class RunnerBeat {
  readonly #asked = new Set<Asked>();
  #beat: number;
  #heardAtMs = performance.now();

  constructor(beat: number) {
    this.#beat = beat;
  }

  heard(beat: number): void {
    this.#beat = beat;
    this.#heardAtMs = performance.now();
    for (const asked of this.#asked) if (beat >= asked.fromBeat) this.#tell(asked, true);
  }

  /** Whether it has not beaten for so long that it is gone. */
  get standsStill(): boolean {
    return performance.now() - this.#heardAtMs > STILL_MS;
  }

  /** Told within five seconds; false where it does not beat any more. Never rejects. */
  lives(): Promise<boolean> {
    return new Promise((resolve) => {
      const limit = setTimeout(() => this.#tell(asked, false), STILL_MS);
      const asked: Asked = { fromBeat: this.#beat + BEATS, resolve, limit };
      this.#asked.add(asked);
    });
  }

  /** Nobody listens any more: what was asked is told at once. Idempotent. */
  close(): void {
    for (const asked of this.#asked) this.#tell(asked, false);
  }

  #tell(asked: Asked, lives: boolean): void {
    clearTimeout(asked.limit);
    this.#asked.delete(asked);
    asked.resolve(lives);
  }
}
