/**
 * Whether a source's picture stopped changing while frames go on coming, as when a camera's sensor hangs or a recorder repeats its
 * last picture. Noise alone changes some bit of every picture of a camera that works; so a picture that is identical for long is an
 * alarm, and no more than that: a test card does not change either.
 *
 * Of each picture only some bytes are read, which costs some hundredths of a millisecond: a change smaller than what lies between
 * them may be missed.
 */

export type FrozenChange = 'frozen' | 'unfrozen';

export class FrozenPicture {
  readonly #frozenAfterMs: number;
  #fingerprint: number | undefined;
  /** When the first of the identical pictures came. */
  #sameSinceMs = 0;
  #isFrozen = false;

  constructor(frozenAfterMs: number) {
    this.#frozenAfterMs = frozenAfterMs;
  }

  /** To be told of each picture of an epoch, raw or encoded; tells a change. @param nowMs monotonic. */
  frame(data: Uint8Array, nowMs: number): FrozenChange | undefined {
    const fingerprint = sampledFingerprint(data);
    if (fingerprint !== this.#fingerprint) {
      this.#fingerprint = fingerprint;
      this.#sameSinceMs = nowMs;
      if (!this.#isFrozen) return undefined;
      this.#isFrozen = false;
      return 'unfrozen';
    }
    if (this.#isFrozen || nowMs - this.#sameSinceMs < this.#frozenAfterMs) return undefined;
    this.#isFrozen = true;
    return 'frozen';
  }
}

/** Primes, so that the bytes read are of all channels and wander over the columns: some 4,000 to 17,000 of a picture up to Full HD. */
const strideOf = (bytes: number): number => (bytes < 1 << 20 ? 61 : bytes < 1 << 22 ? 251 : 769);

/** FNV-1a over the length and the bytes read. */
function sampledFingerprint(data: Uint8Array): number {
  const { length } = data;
  const stride = strideOf(length);
  let hash = Math.imul(0x811c9dc5 ^ length, 0x01000193);
  for (let i = 0; i < length; i += stride) hash = Math.imul(hash ^ (data[i] as number), 0x01000193);
  return hash;
}
