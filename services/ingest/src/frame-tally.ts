/**
 * What becomes of the frames of one epoch at the ingest, from their decoding until they are published, which makes them the scheduler's
 * (I1). What is open is asked of whoever holds it: the decoder, the flow, the publisher.
 */

import type { Fated, FrameFate } from '@stream-infer/core/fate';
import type { Holder } from '@stream-infer/core/ledger-book';
import type { DecodeErrors } from './decode-errors.ts';
import type { FrameLedger, UnpublishedFate } from './frame-ledger.ts';
import type { FramePublisher } from './frame-publisher.ts';
import type { IngestMetrics } from './metrics.ts';

const UNPUBLISHED: readonly (readonly [UnpublishedFate, Fated<FrameFate>])[] = [
  ['before-start', { fate: 'not-needed', reason: 'before-start' }],
  ['skipped', { fate: 'not-needed', reason: 'skipped' }],
  ['not-needed', { fate: 'not-needed', reason: 'no-algorithm' }],
];
const REPEATED: Fated<FrameFate> = { fate: 'not-needed', reason: 'repeated' };
const BUS_BEHIND: Fated<FrameFate> = { fate: 'evicted', reason: 'bus-behind' };
const EPOCH_OVER: Fated<FrameFate> = { fate: 'expired', reason: 'epoch-over' };
const LOST_IN_DECODER: Fated<FrameFate> = { fate: 'lost-in-decoder', reason: '' };

/** Who holds frames. */
export type TallyOptions = {
  readonly metrics: IngestMetrics;
  readonly stream: string;
  readonly ledger: FrameLedger;
  readonly errors: DecodeErrors;
  readonly publisher: Pick<FramePublisher, 'unpublished'>;
};

export class FrameTally implements Holder {
  readonly #options: TallyOptions;
  readonly #stopFollowing: () => void;
  /** Frames that came out of the decoder and were offered to the publisher, or not to be offered. */
  #handled = 0;
  #closed = false;
  /** What the book has of this epoch already. */
  readonly #told = { decoded: 0, errors: 0, 'before-start': 0, skipped: 0, 'not-needed': 0 };

  constructor(options: TallyOptions) {
    this.#options = options;
    this.#stopFollowing = this.#book.follow(this);
  }

  get open(): number {
    const { ledger, publisher } = this.#options;
    return ledger.pending + this.#held + publisher.unpublished;
  }

  /** A frame is offered to the publisher. */
  offered(): void {
    this.#handled += 1;
  }

  /** @param ageMs from the frame's arrival to its publishing; undefined offline, where it says nothing. */
  published(bytes: number, ageMs: number | undefined): void {
    const { metrics, stream } = this.#options;
    this.#book.handOver(1);
    metrics.publishedBytes.inc({ stream }, bytes);
    if (ageMs !== undefined) metrics.frameAgeSeconds.observe({ stream }, ageMs / 1_000);
  }

  /** A frame that an earlier epoch of the run has published already. */
  repeated(): void {
    this.#handled += 1;
    this.#book.settle(REPEATED);
  }

  /** Given up because the bus is slower than the camera. */
  dropped(): void {
    this.#book.settle(BUS_BEHIND);
  }

  /** Given up because the epoch is over. */
  discarded(): void {
    this.#book.settle(EPOCH_OVER);
  }

  update(): void {
    const { metrics, stream, ledger, errors } = this.#options;
    this.#book.enter(ledger.decoded - this.#told.decoded);
    this.#told.decoded = ledger.decoded;
    metrics.decoderErrors.inc({ stream }, errors.count - this.#told.errors);
    this.#told.errors = errors.count;
    for (const [fate, fated] of UNPUBLISHED) {
      this.#book.settle(fated, ledger.fates[fate] - this.#told[fate]);
      this.#told[fate] = ledger.fates[fate];
    }
  }

  /** The epoch is over, its decoder ended and its publisher closed: what they hold will never be published. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopFollowing();
    this.#book.settle(LOST_IN_DECODER, this.#options.ledger.pending);
    this.#book.settle(EPOCH_OVER, this.#held);
  }

  /** Frames between the decoder and the publisher. */
  get #held(): number {
    return this.#options.ledger.handedOut - this.#handled;
  }

  get #book() {
    return this.#options.metrics.framesOf(this.#options.stream);
  }
}
