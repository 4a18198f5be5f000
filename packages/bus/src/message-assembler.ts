/**
 * Cuts what a server sends into whole protocol messages, each large one in memory of its own. Pure.
 *
 * The client's parser grows the payload of a message that spans reads by doubling, which allocates about ten times the size of a
 * frame and has the garbage collector run for a third of the time; a message that comes whole it takes as it is.
 */

const NEWLINE = 10;
const SPACE = 32;
const ZERO = 48;
const NINE = 57;
const END_OF_PAYLOAD_BYTES = 2;
/** More than a server's longest control line. Beyond it this is no NATS, which is the parser's to say. */
const LONGEST_LINE_BYTES = 64 * 1024;

/** A larger message lies alone in its memory, so that whoever it is for may give the memory away. */
export const SHARED_MEMORY_BYTES = 64 * 1024;

export class MessageAssembler {
  /** The start of a control line. */
  #line: Uint8Array = new Uint8Array(0);
  #message: Uint8Array | undefined;
  #filled = 0;

  /** Whole messages, in order: one or several small ones in each piece. `chunk` may be overwritten afterwards. */
  push(chunk: Uint8Array): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    const rest = this.#fill(chunk, pieces);
    if (rest.byteLength === 0) return pieces;
    const bytes = this.#line.byteLength === 0 ? rest : Buffer.concat([this.#line, rest]);
    this.#line = new Uint8Array(0);
    /** Small whole messages up to `at`. */
    let from = 0;
    let at = 0;
    const flush = (): void => {
      if (at > from) pieces.push(new Uint8Array(bytes.subarray(from, at)));
      from = at;
    };
    while (at < bytes.byteLength) {
      const newline = bytes.indexOf(NEWLINE, at);
      if (newline === -1 && bytes.byteLength - at <= LONGEST_LINE_BYTES) break;
      const length = newline === -1 ? bytes.byteLength - at : messageLength(bytes, at, newline);
      const isWhole = at + length <= bytes.byteLength;
      if (isWhole && length <= SHARED_MEMORY_BYTES) {
        at += length;
        continue;
      }
      flush();
      this.#message = new Uint8Array(length);
      this.#filled = 0;
      at = bytes.byteLength - this.#fill(bytes.subarray(at), pieces).byteLength;
      from = at;
    }
    flush();
    if (at < bytes.byteLength) this.#line = new Uint8Array(bytes.subarray(at));
    return pieces;
  }

  /** Fills the message under way, if any, and returns what is not its own. */
  #fill(bytes: Uint8Array, pieces: Uint8Array[]): Uint8Array {
    if (!this.#message) return bytes;
    const taken = Math.min(this.#message.byteLength - this.#filled, bytes.byteLength);
    this.#message.set(bytes.subarray(0, taken), this.#filled);
    this.#filled += taken;
    if (this.#filled === this.#message.byteLength) {
      pieces.push(this.#message);
      this.#message = undefined;
    }
    return bytes.subarray(taken);
  }
}

/** Bytes of the message whose control line is [at, newline]: MSG and HMSG end with the size of what follows. */
function messageLength(bytes: Uint8Array, at: number, newline: number): number {
  const line = newline + 1 - at;
  const first = String.fromCharCode(bytes[at] ?? 0).toUpperCase();
  if (first !== 'M' && first !== 'H') return line;
  let size = 0;
  let unit = 1;
  for (let i = newline - 1; i > at && bytes[i] !== SPACE; i -= 1) {
    const digit = bytes[i] ?? 0;
    if (digit < ZERO || digit > NINE) continue;
    size += (digit - ZERO) * unit;
    unit *= 10;
  }
  return line + size + END_OF_PAYLOAD_BYTES;
}
