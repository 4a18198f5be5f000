/**
 * The room that the frame buffer of an epoch has. Offline no more than `capacity` frames are published and not released (EX-2): the
 * scheduler announces what it releases, and where it is silent the buffer itself can be asked. In realtime there always is room (EX-8).
 */

import { onReleased } from '@stream-infer/bus/announcements';
import type { Bus } from '@stream-infer/bus/bus';
import { busErrorKind } from '@stream-infer/bus/bus-error';
import { frameBufferState } from '@stream-infer/bus/frame-stream';
import { Fault } from '@stream-infer/core/fault';
import type { Mode } from '@stream-infer/core/stream-spec';

export type BufferRoomOptions = {
  readonly bus: Bus;
  readonly stream: string;
  readonly run: string;
  readonly epoch: number;
  /** JetStream name of the frame buffer. */
  readonly frames: string;
  readonly mode: Mode;
  /** Published frames that the scheduler may hold, offline. */
  readonly capacity: number;
};

const RETRY_MS = 200;

const WHY_GONE = 'the frame buffer is gone, since the NATS server was started anew or the buffer was deleted';
/** What that means. It names no stream, so that whoever tells it of many at once can tell it once. */
const GONE: Readonly<Record<Mode, string>> = {
  realtime: `${WHY_GONE}: the frames in flight are lost, and the source is opened again`,
  offline: `${WHY_GONE}: the source is opened again, and its frames are decoded anew`,
};

export class BufferRoom {
  readonly #options: BufferRoomOptions;
  readonly #signal: AbortSignal;
  readonly #unsubscribe: () => void;
  /** Sequences up to here are not needed any more. */
  #released = 0;

  /**
   * @param signal aborts when nobody wants to know any more.
   * @param onMore called when there may be more room.
   */
  constructor(options: BufferRoomOptions, signal: AbortSignal, onMore: () => void) {
    this.#options = options;
    this.#signal = signal;
    const { bus, stream, run, epoch } = options;
    this.#unsubscribe = onReleased(bus, stream, (released) => {
      if (released.run !== run || released.epoch !== epoch || released.through <= this.#released) return;
      this.#released = released.through;
      onMore();
    });
  }

  /** Whether one more message fits behind this sequence. */
  hasAfter(sequence: number): boolean {
    return this.#options.mode === 'realtime' || sequence - this.#released < this.#options.capacity;
  }

  /** Asks the buffer what is released, in the scheduler's place. Throws as `state`. */
  async ask(): Promise<void> {
    const state = await this.state();
    if (state) this.#released = Math.max(this.#released, state.firstSequence - 1);
  }

  /**
   * What the buffer holds, asked until the bus answers: nothing is published meanwhile, since a client without a connection
   * would gather it all (D12). Undefined once the signal has aborted. Throws BUS_FAILED where the buffer is gone, else the bus's own error.
   */
  async state(): Promise<{ firstSequence: number; lastSequence: number } | undefined> {
    const { bus, frames, mode } = this.#options;
    while (!this.#signal.aborted) {
      try {
        return await frameBufferState(bus, frames);
      } catch (error) {
        const kind = busErrorKind(error);
        if (kind === 'stream-missing') throw new Fault('BUS_FAILED', GONE[mode], { cause: error });
        if (kind !== 'timeout' && kind !== 'no-responders') throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    return undefined;
  }

  /** Hears no announcement any more. Idempotent. */
  close(): void {
    this.#unsubscribe();
  }
}
