/**
 * Frames on their way from the decoder to the bus, and their ledger: what ffmpeg hands out in one epoch is numbered, timed, published and
 * counted, until the source ends or breaks, or the epoch is stopped.
 */

import type { SourceStatus } from '@stream-infer/bus/announcements';
import type { Bus } from '@stream-infer/bus/bus';
import { type Fault, faultJson, toFault } from '@stream-infer/core/fault';
import type { NewestFrame, SourceEnd } from '@stream-infer/core/run';
import type { Settings } from '@stream-infer/core/settings';
import { type DecodedFrame, Decoder, type Exit } from './decoder.ts';
import { framePresentationUs, positionSeconds } from './epoch-time.ts';
import { FrameLedger } from './frame-ledger.ts';
import { framePace } from './frame-pace.ts';
import { FramePublisher, type OutgoingFrame } from './frame-publisher.ts';
import { FrameRate } from './frame-rate.ts';
import { FrameTally } from './frame-tally.ts';
import { FrozenPicture } from './frozen-picture.ts';
import type { Size } from './geometry.ts';
import type { IngestMetrics } from './metrics.ts';
import { presentationTimeUs } from './presentation-time.ts';
import { ResumedFrames } from './resumed-frames.ts';
import type { RunClaim } from './run-claim.ts';
import { sourceEndFault } from './source-end.ts';
import { jumpFault, stallFault, unlikeFault } from './source-fault.ts';
import type { SourceLife } from './source-life.ts';
import type { PreparedStream } from './stream-preparation.ts';
import { TimestampJump } from './timestamp-jump.ts';

export type FlowOptions = {
  readonly bus: Bus;
  readonly settings: Settings<'ingest'>;
  readonly metrics: IngestMetrics;
  readonly claim: RunClaim;
  readonly prepared: PreparedStream;
  /** JetStream name of the frame buffer. */
  readonly frames: string;
  readonly life: SourceLife;
  /** Called when frames were decoded, four times a second at most, and when none will be any more. */
  progressed(): void;
  /** The source's picture has another size from now on. */
  resized(size: Size): void;
  /** Aborts when the epoch is to end before its source does. */
  readonly signal: AbortSignal;
};

/** What the run has of frames, this epoch's among them. */
export type FlowProgress = Omit<SourceStatus, 'stream' | 'run' | 'condition'>;

export const NO_PROGRESS: FlowProgress = {
  framesPerSecond: 0,
  lastFrameAgeMs: null,
  decoded: 0,
  published: 0,
  positionSeconds: 0,
  durationSeconds: null,
};

const TICK_MS = 250;

export class FrameFlow {
  readonly #options: FlowOptions;
  readonly #ledger: FrameLedger;
  readonly #decoder: Decoder;
  readonly #publisher: FramePublisher;
  readonly #tally: FrameTally;
  readonly #ticker: NodeJS.Timeout;
  readonly #rate = new FrameRate();
  readonly #frozen: FrozenPicture;
  readonly #jump = new TimestampJump();
  /** Frames of this run that an earlier epoch had published. */
  #repeated = 0;
  /** Monotonic clock when the decoder last had a frame. */
  #progressAtMs = performance.now();
  #decodedAtProgress = 0;
  #isSilent = false;
  #isUnlike = false;
  #sourceSize: Size;
  #exit: Exit | undefined;

  constructor(options: FlowOptions) {
    this.#options = options;
    const { bus, settings, metrics, claim, prepared, frames, life } = options;
    const { stream, run, spec } = claim.run;
    const { plan, slots, timeBase, selective, capacity } = prepared;
    this.#sourceSize = prepared.facts;
    const inspect = this.#isOwnPace ? { inspect: this.#inspect } : {};
    this.#ledger = new FrameLedger({ plan, timeBase, selective, ...slots, ...inspect });
    this.#frozen = new FrozenPicture(settings.frozenAfterMs);
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
        discarded: () => this.#tally.discarded(),
        retried: (why) => metrics.publishRetries.inc({ stream, reason: why }),
      },
    });
    metrics.decoderStarts.inc({ stream });
    this.#decoder = new Decoder({ ffmpegPath: settings.ffmpegPath, prepared, ledger: this.#ledger });
    const { errors } = this.#decoder;
    this.#tally = new FrameTally({ metrics, stream, ledger: this.#ledger, errors, publisher: this.#publisher });
    life.opened(performance.now());
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
    options.signal.addEventListener('abort', this.#onStop, { once: true });
    if (options.signal.aborted) this.#onStop();
  }

  /**
   * Plays until the source ends, which may be by the fault that it resolves with, or the epoch is stopped. Throws only what keeps an
   * end marker from being published.
   */
  async play(): Promise<Fault | undefined> {
    const { prepared, settings, signal, progressed } = this.#options;
    try {
      await this.#publishAll();
    } catch (error) {
      if (!signal.aborted) return toFault(error);
    } finally {
      progressed();
    }
    if (signal.aborted) return undefined;
    if (this.#isUnlike) return unlikeFault(prepared.source, this.#sourceSize);
    if (this.#isSilent) return stallFault(prepared.source, this.#positionSeconds(), settings.stallMs);
    this.#exit = await this.#decoder.exited;
    const { errors } = this.#decoder;
    return sourceEndFault({ prepared, ledger: this.#ledger, errors, exit: this.#exit }, settings.ffprobePath, signal);
  }

  /** Whether something else than its source's end, or its stop, ended ffmpeg. */
  get wasKilled(): boolean {
    return this.#exit !== undefined && this.#exit.signal !== null;
  }

  /** The newest played frame, and when it came; undefined before the first. */
  get newest(): NewestFrame | undefined {
    const { lastPlayed, playedAtMs } = this.#ledger;
    return lastPlayed === 0 ? undefined : { n: lastPlayed, atMs: Date.now() - (performance.now() - playedAtMs) };
  }

  /**
   * Publishes the end marker once everything that was offered is stored, or forgotten because the run is stopped. Throws
   * BUS_FAILED.
   */
  async end(fault: Fault | undefined): Promise<void> {
    await this.#publisher.finish(() => this.totals(fault));
  }

  /** Nothing that waits is published any more. */
  discard(): void {
    this.#publisher.discard();
  }

  /** Of what this epoch decoded, and, where it decodes a file again, what earlier ones published. */
  totals(fault: Fault | undefined): SourceEnd {
    const { decoded, played, lastPlayed } = this.#ledger;
    const { published, lastPublished } = this.#publisher;
    return {
      lastPublished,
      lastPlayed,
      decoded,
      played,
      published: published + this.#repeated,
      ...(fault && { fault: faultJson(fault) }),
    };
  }

  get progress(): FlowProgress {
    const nowMs = performance.now();
    return {
      framesPerSecond: this.#rate.perSecond(nowMs),
      lastFrameAgeMs: this.#ledger.decoded === 0 ? null : Math.round(nowMs - this.#progressAtMs),
      decoded: this.#ledger.decoded,
      published: this.#publisher.published + this.#repeated,
      positionSeconds: this.#positionSeconds(),
      durationSeconds: this.#options.prepared.facts.durationSeconds ?? null,
    };
  }

  /** Ends ffmpeg and whatever is under way; counts what was cut off. Idempotent. */
  async close(): Promise<void> {
    clearInterval(this.#ticker);
    this.#options.signal.removeEventListener('abort', this.#onStop);
    await this.#decoder.stop();
    await this.#publisher.close();
    this.#tally.close();
  }

  readonly #onStop = (): void => {
    this.#publisher.discard();
    // Whoever reads its frames sees them end; close() waits for the process.
    void this.#decoder.stop();
  };

  async #publishAll(): Promise<void> {
    const { prepared, signal } = this.#options;
    const untilDue = prepared.paced ? framePace(signal) : undefined;
    const fromN = prepared.start.kind === 'again' ? prepared.start.fromN : 0;
    const resumed = new ResumedFrames<DecodedFrame>(fromN, prepared.plan.sampling === 'time', (frame) =>
      this.#repeat(frame),
    );
    for await (const frame of this.#decoder.frames()) {
      if (frame.sourceSize && !this.#accepts(frame.sourceSize)) return;
      if (!frame.needed) this.#decoder.recycle(frame.data);
      for (const next of frame.needed ? resumed.next(frame) : []) {
        await untilDue?.(this.#presentationUs(next) / 1e6);
        if (signal.aborted) return;
        this.#tally.offered();
        await this.#publisher.offer(this.#outgoing(next, untilDue !== undefined));
      }
    }
    resumed.end();
  }

  /** Notes a new size. False where the source is not the one that the epoch was opened for, so that it is to be asked anew. */
  #accepts(size: Size): boolean {
    if (size.width === this.#sourceSize.width && size.height === this.#sourceSize.height) return true;
    this.#sourceSize = size;
    this.#isUnlike = this.#options.prepared.isAssumed && this.#ledger.handedOut <= 1;
    if (!this.#isUnlike) this.#options.resized(size);
    return !this.#isUnlike;
  }

  #repeat({ data }: DecodedFrame): void {
    this.#repeated += 1;
    this.#tally.repeated();
    this.#decoder.recycle(data);
  }

  #outgoing(frame: DecodedFrame, heldBack: boolean): OutgoingFrame {
    const { claim, prepared } = this.#options;
    const { frame: format } = prepared;
    const nowMs = performance.now();
    const arrivedAtMs = heldBack ? nowMs : frame.arrivedAtMs;
    const { width, height, pixelFormat, encoding } = format;
    this.#options.life.frame(nowMs);
    if (this.#isOwnPace) this.#watchPicture(frame.data, nowMs);
    return {
      header: {
        n: frame.n,
        sourceIndex: frame.sourceIndex,
        presentationTimeUs: this.#presentationUs(frame),
        capturedAtMs: claim.run.spec.mode === 'realtime' ? Math.round(Date.now() - (nowMs - arrivedAtMs)) : 0,
        size: { width, height },
        pixelFormat,
        encoding,
        sourceSize: this.#sourceSize,
      },
      data: frame.data,
      arrivedAtMs,
    };
  }

  #presentationUs(frame: DecodedFrame): number {
    return framePresentationUs(this.#options.prepared, frame);
  }

  /** Whether frames come at the time of the source, which may then fall silent. */
  get #isOwnPace(): boolean {
    const { prepared, claim } = this.#options;
    return prepared.facts.live && claim.run.spec.mode === 'realtime';
  }

  #watchPicture(data: Uint8Array, nowMs: number): void {
    const { life } = this.#options;
    const change = this.#frozen.frame(data, nowMs);
    if (change === 'frozen') life.frozen();
    if (change === 'unfrozen') life.unfrozen();
  }

  #tick(): void {
    const { life, progressed } = this.#options;
    const nowMs = performance.now();
    if (this.#ledger.decoded !== this.#decodedAtProgress) {
      progressed();
      this.#rate.count(this.#ledger.decoded - this.#decodedAtProgress, nowMs);
      this.#decodedAtProgress = this.#ledger.decoded;
      this.#progressAtMs = nowMs;
      life.frame(nowMs);
    }
    if (!this.#isOwnPace || this.#isSilent || !life.isSilent(nowMs)) return;
    this.#isSilent = true;
    void this.#decoder.stop();
  }

  readonly #inspect = (ptsTicks: number | undefined, arrivedAtMs: number): void => {
    const { source, timeBase } = this.#options.prepared;
    const presentationMs = ptsTicks === undefined ? undefined : presentationTimeUs(ptsTicks, timeBase) / 1_000;
    if (this.#jump.frame(presentationMs, arrivedAtMs)) throw jumpFault(source, this.#positionSeconds());
  };

  #positionSeconds(): number {
    return positionSeconds(this.#options.prepared, this.#ledger);
  }
}
