/**
 * Finds the pictures in a fragmented QuickTime movie that holds one raw picture in each fragment, and hands them out to be drawn
 * on, all other bytes passing through as they are. So the times of the source's frames, which stand in those bytes, are kept exactly,
 * whatever they are.
 */

const HEADER_BYTES = 8;

/**
 * Yields the same movie. `draw` is called with each picture in order and may change it.
 * Throws RangeError where the bytes are no such movie or end within a box.
 */
export async function* drawOnFragments(
  movie: AsyncIterable<Uint8Array>,
  draw: (picture: Uint8Array) => Promise<void>,
): AsyncGenerator<Uint8Array, void, void> {
  const reader = new ByteReader(movie);
  while (true) {
    const header = await reader.read(HEADER_BYTES);
    if (!header) return;
    const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
    const size = view.getUint32(0);
    const type = String.fromCharCode(...header.subarray(4));
    // 0 would mean to the end, 1 a size of 64 bits: neither is written for a picture.
    if (size < HEADER_BYTES) throw new RangeError(`a box ${type} of ${size} bytes`);
    const body = await reader.read(size - HEADER_BYTES);
    if (!body) throw new RangeError(`the movie ends within a box ${type}`);
    if (type === 'mdat') await draw(body);
    yield header;
    yield body;
  }
}

/** Reads exact numbers of bytes out of chunks of any size. */
class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** A buffer of its own; undefined at the end. Throws RangeError where the end comes in the middle. */
  async read(size: number): Promise<Uint8Array | undefined> {
    const bytes = Buffer.allocUnsafeSlow(size);
    let filled = 0;
    while (filled < size) {
      if (this.#rest.length === 0) {
        const next = await this.#chunks.next();
        if (next.done) {
          if (filled === 0) return undefined;
          throw new RangeError(`${filled} bytes where ${size} are due`);
        }
        this.#rest = next.value;
      }
      const taken = this.#rest.subarray(0, size - filled);
      bytes.set(taken, filled);
      filled += taken.length;
      this.#rest = this.#rest.subarray(taken.length);
    }
    return bytes;
  }
}
