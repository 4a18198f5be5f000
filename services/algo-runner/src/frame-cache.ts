/**
 * Frames that several windows share, fetched once. Only windows of more than one frame use it: a frame that stands alone in
 * its window comes once and goes to its worker without a copy (frame-source.ts).
 *
 * Invariants: holds at most `capacityBytes` of frames that have arrived, the least recently used go first; two that ask for the
 * same frame at once share one fetch; a fetch that failed is forgotten.
 */

type Entry = { readonly frame: Promise<Uint8Array>; bytes: number };

export class FrameCache {
  readonly #capacityBytes: number;
  /** The least recently used stands first. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
  }

  /** Bytes of the frames that it holds. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The frame under `key`, from `fetch` where it is not here. Callers copy what they hand on. Rejects as `fetch` does. */
  get(key: string, fetch: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const known = this.#entries.get(key);
    if (known) {
      this.#entries.delete(key);
      this.#entries.set(key, known);
      return known.frame;
    }
    const frame = fetch().then(
      (data) => {
        this.#arrived(key, data.byteLength);
        return data;
      },
      (error: unknown) => {
        this.#entries.delete(key);
        throw error;
      },
    );
    this.#entries.set(key, { frame, bytes: 0 });
    return frame;
  }

  #arrived(key: string, bytes: number): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    entry.bytes = bytes;
    this.#bytes += bytes;
    for (const [oldest, { bytes: freed }] of this.#entries) {
      if (this.#bytes <= this.#capacityBytes) break;
      // What is still on its way holds nothing yet, and stays, so that it is shared.
      if (freed === 0) continue;
      this.#entries.delete(oldest);
      this.#bytes -= freed;
    }
  }
}
