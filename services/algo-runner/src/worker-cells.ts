/**
 * What the runner and a worker thread tell each other without a message, because the thread may be inside a batch and reads none:
 * that it has loaded a native module (D7), that the runner drains, and which of the batches in its hands it has not begun.
 *
 * Invariant: of the runner that takes a batch back and the thread that begins it, exactly one succeeds.
 */

/** A thread holds two batches at most: the one that it runs, or has not begun yet, and the next. Each is in a slot of its own. */
export type Slot = 0 | 1;

const NATIVE = 0;
const DRAINING = 1;
const FIRST_SLOT = 2;
const SLOTS = 2;

export class WorkerCells {
  /** To be handed to the other thread. */
  readonly memory: SharedArrayBuffer;
  readonly #cells: Int32Array;

  constructor(memory = new SharedArrayBuffer((FIRST_SLOT + SLOTS) * Int32Array.BYTES_PER_ELEMENT)) {
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

  /** Before the batch is sent. @param slot one that no batch is in, unless it was taken back. @param batch its number, from 1, never used again. */
  offer(slot: Slot, batch: number): void {
    Atomics.store(this.#cells, FIRST_SLOT + slot, batch);
  }

  /** By the thread to begin the batch, or by the runner to take it back: true for the first that asks. */
  claim(slot: Slot, batch: number): boolean {
    return Atomics.compareExchange(this.#cells, FIRST_SLOT + slot, batch, 0) === batch;
  }
}
