/**
 * Frames on their way from the decoder to the bus, and their ledger: what ffmpeg hands out is numbered, timed, published and
 * counted, until the source ends or the run is stopped.
 */

import { announceStatus } from '@stream-infer/bus/announcements';
import type { Bus } from '@stream-infer/bus/bus';
import { type Fault, faultJson, toFault } from '@stream-infer/core/fault';
import type { SourceEnd } from '@stream-infer/core/run';
import type { Settings } from '@stream-infer/core/settings';
import { type DecodedFrame, Decoder } from './decoder.ts';
import { FrameLedger } from './frame-ledger.ts';
import { framePace } from './frame-pace.ts';
import { FramePublisher, type OutgoingFrame } from './frame-publisher.ts';
import { FrameRate } from './frame-rate.ts';
import { FrameTally } from './frame-tally.ts';
import type { IngestMetrics } from './metrics.ts';
import { presentationSeconds, presentationTimeUs } from './presentation-time.ts';
import type { RunClaim } from './run-claim.ts';
import { sourceEndFault } from './source-end.ts';
import { lostFault, timeoutFault } from './source-fault.ts';
import type { PreparedStream } from './stream-preparation.ts';

export type FlowOptions = {
  readonly bus: Bus;
  readonly settings: Settings<'ingest'>;
  readonly metrics: IngestMetrics;
  readonly claim: RunClaim;
  readonly prepared: PreparedStream;
  /** JetStream name of the frame buffer. */
  readonly frames: string;
  /** Aborts when the run is to end before its source does. */
  readonly signal: AbortSignal;
};

const STATUS_MS = 250;

export class FrameFlow {
  readonly #options: FlowOptions;
  readonly #ledger: FrameLedger;
  readonly #decoder: Decoder;
  readonly #publisher: FramePublisher;
  readonly #tally: FrameTally;
  readonly #ticker: NodeJS.Timeout;
  /** Monotonic clock when the decoder last had a frame. */
  #progressAtMs = performance.now();
  #decodedAtProgress = 0;
  readonly #startedAtMs = Date.now();
  readonly #rate = new FrameRate();
  #stalled = false;

  constructor(options: FlowOptions) {
    this.#options = options;
    const { bus, settings, metrics, claim, prepared, frames } = options;
    const { stream, run, spec } = claim.run;
    const { plan, timeBase, selective, frame, capacity } = prepared;
    this.#ledger = new FrameLedger({ plan, timeBase, selective });
    this.#tally = new FrameTally(metrics, stream);
    this.#publisher = new FramePublisher({
      bus,
      stream,
      run,
      epoch: claim.epoch,
      frames,
      mode: spec.mode,
      capacity,
      listener: {
        stored: ({ data, arrivedAtMs }) => {
          const ageMs = spec.mode === 'realtime' ? performance.now() - arrivedAtMs : undefined;
          this.#tally.published(data.byteLength, ageMs);
          this.#decoder.recycle(data);
        },
        dropped: ({ data }) => {
          this.#tally.dropped();
          this.#decoder.recycle(data);
        },
        retried: (why) => metrics.publishRetries.inc({ stream, reason: why }),
      },
    });
    metrics.decoderStarts.inc({ stream });
    const { ffmpegPath } = settings;
    this.#decoder = new Decoder({ ffmpegPath, args: prepared.decodeArguments, frame, ledger: this.#ledger });
    this.#ticker = setInterval(() => this.#tick(), STATUS_MS);
    options.signal.addEventListener('abort', this.#onStop, { once: true });
    if (options.signal.aborted) this.#onStop();
  }

  /**
   * Plays until the source ends, which may be by the fault that it resolves with, or the run is stopped. Throws only what keeps an
   * end marker from being published.
   */
  async play(): Promise<Fault | undefined> {
    const { prepared, settings, signal } = this.#options;
    try {
      await this.#publishAll();
    } catch (error) {
      if (!signal.aborted) return toFault(error);
    }
    if (signal.aborted) return undefined;
    if (this.#stalled) return this.#stallFault();
    const exit = await this.#decoder.exited;
    const { errors } = this.#decoder;
    return sourceEndFault({ prepared, ledger: this.#ledger, errors, exit }, settings.ffprobePath, signal);
  }

  /**
   * Publishes the end marker once everything that was offered is stored, or forgotten because the run is stopped. Throws
   * BUS_FAILED.
   */
  async end(fault: () => Fault | undefined): Promise<void> {
    await this.#publisher.finish(() => this.totals(fault()));
  }

  totals(fault: Fault | undefined): SourceEnd {
    const { decoded, played, lastPlayed } = this.#ledger;
    const { published, lastPublished } = this.#publisher;
    return { lastPublished, lastPlayed, decoded, played, published, ...(fault && { fault: faultJson(fault) }) };
  }

  /** Ends ffmpeg and whatever is under way; counts what was cut off. Idempotent. */
  async close(): Promise<void> {
    clearInterval(this.#ticker);
    this.#options.signal.removeEventListener('abort', this.#onStop);
    await this.#decoder.stop();
    await this.#publisher.close();
    this.#announce();
    this.#tally.close(this.#ledger, this.#decoder.errors);
  }

  readonly #onStop = (): void => {
    this.#publisher.discard();
    // Whoever reads its frames sees them end; close() waits for the process.
    void this.#decoder.stop();
  };

  async #publishAll(): Promise<void> {
    const { prepared, signal } = this.#options;
    const untilDue = prepared.paced ? framePace(signal) : undefined;
    for await (const frame of this.#decoder.frames()) {
      if (!frame.needed) {
        this.#decoder.recycle(frame.data);
        continue;
      }
      await untilDue?.(this.#presentationUs(frame) / 1e6);
      if (signal.aborted) return;
      await this.#publisher.offer(this.#outgoing(frame, untilDue !== undefined));
    }
  }

  #outgoing(frame: DecodedFrame, heldBack: boolean): OutgoingFrame {
    const { claim, prepared } = this.#options;
    const { facts, frame: format } = prepared;
    const nowMs = performance.now();
    const arrivedAtMs = heldBack ? nowMs : frame.arrivedAtMs;
    const { width, height, pixelFormat, encoding } = format;
    return {
      header: {
        n: frame.n,
        sourceIndex: frame.sourceIndex,
        presentationTimeUs: this.#presentationUs(frame),
        capturedAtMs: claim.run.spec.mode === 'realtime' ? Math.round(Date.now() - (nowMs - arrivedAtMs)) : 0,
        size: { width, height },
        pixelFormat,
        encoding,
        sourceSize: { width: facts.width, height: facts.height },
      },
      data: frame.data,
      arrivedAtMs,
    };
  }

  /** Of a frame without a time: what its number says. */
  #presentationUs({ ptsTicks, sourceIndex }: DecodedFrame): number {
    const { plan, timeBase } = this.#options.prepared;
    if (ptsTicks !== undefined) return presentationTimeUs(ptsTicks, timeBase);
    return presentationTimeUs(sourceIndex, { num: plan.sourceFps.den, den: plan.sourceFps.num });
  }

  #tick(): void {
    this.#announce();
    this.#tally.update(this.#ledger, this.#decoder.errors);
    if (this.#ledger.decoded !== this.#decodedAtProgress) {
      this.#rate.count(this.#ledger.decoded - this.#decodedAtProgress, performance.now());
      this.#decodedAtProgress = this.#ledger.decoded;
      this.#progressAtMs = performance.now();
    }
    const { prepared, settings, claim } = this.#options;
    const isOwnPace = prepared.facts.live && claim.run.spec.mode === 'realtime';
    if (isOwnPace && !this.#stalled && performance.now() - this.#progressAtMs > settings.openTimeoutMs) {
      this.#stalled = true;
      void this.#decoder.stop();
    }
  }

  #stallFault(): Fault {
    const { prepared, settings } = this.#options;
    const { openTimeoutMs } = settings;
    if (this.#ledger.decoded === 0) return timeoutFault(prepared.source, openTimeoutMs);
    return lostFault(prepared.source, this.#positionSeconds(), `no frame came for ${openTimeoutMs / 1_000} s`);
  }

  #positionSeconds(): number {
    const { firstPtsTicks = 0, lastPtsTicks = 0 } = this.#ledger;
    return presentationSeconds(lastPtsTicks - firstPtsTicks, this.#options.prepared.timeBase);
  }

  #announce(): void {
    const { bus, claim, prepared } = this.#options;
    announceStatus(bus, {
      stream: claim.run.stream,
      run: claim.run.run,
      condition: { state: 'playing', reason: 'frames', sinceMs: this.#startedAtMs },
      framesPerSecond: this.#rate.perSecond(performance.now()),
      lastFrameAgeMs: this.#ledger.decoded === 0 ? null : Math.round(performance.now() - this.#progressAtMs),
      decoded: this.#ledger.decoded,
      published: this.#publisher.published,
      positionSeconds: this.#positionSeconds(),
      durationSeconds: prepared.facts.durationSeconds ?? null,
    });
  }
}
