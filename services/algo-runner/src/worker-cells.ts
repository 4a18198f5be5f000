/**
 * What the runner and a worker thread tell each other without a message, because the thread may be inside a batch and reads none:
 * that it has loaded a native module (D7), that the runner drains, and which of the batches in its hands it has not begun.
 *
 * Invariant: of the runner that takes a batch back and the thread that begins it, exactly one succeeds.
 */

/** Batches that a thread holds at once: the one that it runs and the next. Their numbers are consecutive. */
const IN_HAND = 2;
const NATIVE = 0;
const DRAINING = 1;
const FIRST_BATCH = 2;

const cellOf = (batch: number): number => FIRST_BATCH + (batch % IN_HAND);

export class WorkerCells {
  /** To be handed to the other thread. */
  readonly memory: SharedArrayBuffer;
  readonly #cells: Int32Array;

  constructor(memory = new SharedArrayBuffer((FIRST_BATCH + IN_HAND) * Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#cells = new Int32Array(memory);
  }

  markNative(): void {
    Atomics.store(this.#cells, NATIVE, 1);
  }

  get native(): boolean {
    return Atomics.load(this.#cells, NATIVE) === 1;
  }

  /** The runner drains: what is running is the last. */
  markDraining(): void {
    Atomics.store(this.#cells, DRAINING, 1);
  }

  get draining(): boolean {
    return Atomics.load(this.#cells, DRAINING) === 1;
  }

  /** Before the batch is sent. @param batch its number, from 1. */
  offer(batch: number): void {
    Atomics.store(this.#cells, cellOf(batch), batch);
  }

  /** By the thread to begin the batch, or by the runner to take it back: true for the first that asks. */
  claim(batch: number): boolean {
    return Atomics.compareExchange(this.#cells, cellOf(batch), batch, 0) === batch;
  }
}
