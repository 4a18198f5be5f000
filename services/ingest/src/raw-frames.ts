/**
 * Cuts ffmpeg's raw output into frames. Each frame is a buffer of its own of exactly its size, filled as the bytes arrive and
 * taken from a pool, so that nothing is joined and little is allocated.
 */

/** Turns chunks of a byte stream into whole frames, oldest first. */
export type FrameCutter = {
  push(chunk: Uint8Array): Uint8Array[];
  /** Bytes of a frame that is not whole yet. */
  readonly pending: number;
};

/** Buffers of one size for reuse. Whoever gives one back has no use for it any more. */
export class FramePool {
  readonly #bytesPerFrame: number;
  readonly #most: number;
  readonly #free: Uint8Array[] = [];

  constructor(bytesPerFrame: number, most: number) {
    this.#bytesPerFrame = bytesPerFrame;
    this.#most = most;
  }

  take(): Uint8Array {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#bytesPerFrame);
  }

  /** Ignores buffers of another size, which came from elsewhere. */
  give(buffer: Uint8Array): void {
    if (this.#free.length < this.#most && buffer.byteLength === this.#bytesPerFrame) this.#free.push(buffer);
  }
}

export function rawFrameCutter(bytesPerFrame: number, pool: FramePool): FrameCutter {
  let frame: Uint8Array | undefined;
  let filled = 0;
  return {
    get pending() {
      return filled;
    },
    push(chunk) {
      const whole: Uint8Array[] = [];
      let offset = 0;
      while (offset < chunk.byteLength) {
        frame ??= pool.take();
        const length = Math.min(bytesPerFrame - filled, chunk.byteLength - offset);
        frame.set(chunk.subarray(offset, offset + length), filled);
        offset += length;
        filled += length;
        if (filled < bytesPerFrame) continue;
        whole.push(frame);
        frame = undefined;
        filled = 0;
      }
      return whole;
    },
  };
}
