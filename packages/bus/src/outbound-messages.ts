/**
 * What the client is about to send. Its own buffer copies all that is waiting into new memory, a frame's bytes too, which the garbage
 * collector then has to be run for; here only what is small is joined, and a frame goes out of the memory that it lies in.
 *
 * Whoever publishes a large payload leaves its memory alone until the server has answered for it.
 */

import { DataBuffer } from 'nats/lib/nats-base-client/internal_mod.js';

/** A larger part is sent as it lies: joining it would cost more than one more piece to write. */
const JOINED_BYTES = 16 * 1024;

export class OutboundMessages extends DataBuffer {
  readonly #sendAll: (pieces: readonly Uint8Array[]) => void;

  /** @param sendAll sends pieces in order, before anything else that is sent. */
  constructor(sendAll: (pieces: readonly Uint8Array[]) => void) {
    super();
    this.#sendAll = sendAll;
  }

  /** All of it: what this returns is the last piece, the ones before it are sent already. */
  override drain(): Uint8Array {
    const pieces = joinSmall(this.buffers);
    this.reset();
    const last = pieces.pop() ?? new Uint8Array(0);
    if (pieces.length > 0) this.#sendAll(pieces);
    return last;
  }
}

/** The same bytes in fewer pieces: neighbouring small parts are joined. */
export function joinSmall(parts: readonly Uint8Array[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let small: Uint8Array[] = [];
  const join = (): void => {
    if (small.length > 0) pieces.push(small.length === 1 ? (small[0] as Uint8Array) : Buffer.concat(small));
    small = [];
  };
  for (const part of parts) {
    if (part.byteLength <= JOINED_BYTES) small.push(part);
    else {
      join();
      pieces.push(part);
    }
  }
  join();
  return pieces;
}
