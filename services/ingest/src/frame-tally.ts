/** Brings a run's frames into the metrics, so that its fates sum up to what was decoded (I1). */

import type { DecodeErrors } from './decode-errors.ts';
import type { FrameLedger, UnpublishedFate } from './frame-ledger.ts';
import type { IngestMetrics } from './metrics.ts';

const UNPUBLISHED: readonly UnpublishedFate[] = ['before-start', 'skipped', 'not-needed'];

export class FrameTally {
  readonly #metrics: IngestMetrics;
  readonly #stream: string;
  #published = 0;
  #dropped = 0;
  #repeated = 0;
  #closed = false;
  /** What the metrics have of this run already, by fate. */
  readonly #told = { decoded: 0, errors: 0, 'before-start': 0, skipped: 0, 'not-needed': 0 };

  constructor(metrics: IngestMetrics, stream: string) {
    this.#metrics = metrics;
    this.#stream = stream;
  }

  /** @param ageMs from the frame's arrival to its publishing; undefined offline, where it says nothing. */
  published(bytes: number, ageMs: number | undefined): void {
    const stream = this.#stream;
    this.#published += 1;
    this.#metrics.countFrames(stream, 'published', 1);
    this.#metrics.publishedBytes.inc({ stream }, bytes);
    if (ageMs !== undefined) this.#metrics.frameAgeSeconds.observe({ stream }, ageMs / 1_000);
  }

  /** A frame that an earlier epoch of the run has published already. */
  repeated(): void {
    this.#repeated += 1;
    this.#metrics.countFrames(this.#stream, 'repeated', 1);
  }

  dropped(): void {
    this.#dropped += 1;
    this.#metrics.countFrames(this.#stream, 'bus-behind', 1);
  }

  /** Adds what happened since the last time. */
  update(ledger: FrameLedger, errors: DecodeErrors): void {
    const stream = this.#stream;
    this.#metrics.decoded.inc({ stream }, ledger.decoded - this.#told.decoded);
    this.#told.decoded = ledger.decoded;
    this.#metrics.decoderErrors.inc({ stream }, errors.count - this.#told.errors);
    this.#told.errors = errors.count;
    for (const fate of UNPUBLISHED) {
      this.#metrics.countFrames(stream, fate, ledger.fates[fate] - this.#told[fate]);
      this.#told[fate] = ledger.fates[fate];
    }
  }

  /** The same once more, at the end of the run; what was to be published and was not is cut off. */
  close(ledger: FrameLedger, errors: DecodeErrors): void {
    if (this.#closed) return;
    this.#closed = true;
    this.update(ledger, errors);
    const unpublished = UNPUBLISHED.reduce((sum, fate) => sum + ledger.fates[fate], 0);
    const cut = ledger.decoded - unpublished - this.#published - this.#dropped - this.#repeated;
    this.#metrics.countFrames(this.#stream, 'cut', cut);
  }
}
