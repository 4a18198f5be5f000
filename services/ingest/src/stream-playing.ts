/**
 * One run of one stream, from its claim to its end: probe, buffer, play, end marker. Every resource of the run is opened and closed
 * here.
 *
 * What goes wrong before the run plays ends it here, with its end published in the scheduler's place; what goes wrong later
 * travels in the end marker, so that what was decoded is answered.
 */

import type { Bus } from '@stream-infer/bus/bus';
import { busErrorKind } from '@stream-infer/bus/bus-error';
import { createFrameBuffer, deleteFrameBuffer } from '@stream-infer/bus/frame-stream';
import { type Fault, type FaultCode, faultJson, toFault } from '@stream-infer/core/fault';
import type { RunFacts, RunState } from '@stream-infer/core/run';
import type { Settings } from '@stream-infer/core/settings';
import type { Logger } from '@stream-infer/service-kit/logger';
import { FrameFlow } from './frame-flow.ts';
import type { IngestMetrics } from './metrics.ts';
import type { RunClaim } from './run-claim.ts';
import { publishFailedRun } from './run-end.ts';
import { stoppedFault } from './source-fault.ts';
import { type PreparedStream, prepareStream } from './stream-preparation.ts';

/** Why a run is ended from outside: its stream was removed or changed; the service stops; another ingest has taken it. */
export type StopReason = 'removed' | 'stopping' | 'superseded';

export type PlayingContext = {
  readonly bus: Bus;
  readonly settings: Settings<'ingest'>;
  readonly metrics: IngestMetrics;
  readonly logger: Logger;
  report(fault: Fault, fields?: Readonly<Record<string, unknown>>): void;
};

/** How long the end marker of a stopped run may take. */
const STOP_LIMIT_MS = 3_000;

export class StreamPlaying {
  readonly claim: RunClaim;
  /** Resolves when the run is over and everything of it closed. Never rejects. */
  readonly over: Promise<void>;
  readonly #context: PlayingContext;
  readonly #logger: Logger;
  readonly #stop = new AbortController();
  /** Whether the registry has told a scheduler of the run: then its end is the scheduler's to publish (EX-7). */
  #isFollowed = false;
  /** Whether the run's last state is written. */
  #isSettled = false;

  constructor(context: PlayingContext, claim: RunClaim) {
    const { stream, run } = claim.run;
    this.claim = claim;
    this.#context = context;
    this.#logger = context.logger.child({ stream, run });
    this.over = this.#run().catch((error: unknown) => context.report(toFault(error), { stream, run }));
  }

  /** Ends the run; `over` tells when it has. The first reason counts. */
  stop(reason: StopReason): void {
    if (!this.#stop.signal.aborted) this.#stop.abort(reason);
  }

  get #stopReason(): StopReason | undefined {
    return this.#stop.signal.aborted ? (this.#stop.signal.reason as StopReason) : undefined;
  }

  async #run(): Promise<void> {
    const { metrics, settings, bus } = this.#context;
    const { stream, spec } = this.claim.run;
    const { signal } = this.#stop;
    metrics.setState(stream, 'opening');
    try {
      const { maxPayloadBytes } = bus;
      const prepared = await prepareStream(spec, { settings, environment: process.env, maxPayloadBytes, signal });
      signal.throwIfAborted();
      await this.#playPrepared(prepared);
    } catch (error) {
      const code = busErrorKind(error) === 'other' ? 'INTERNAL' : 'BUS_FAILED';
      if (this.#stopReason === undefined) await this.#fail(toFault(error, code, `stream ${stream}`));
    } finally {
      metrics.setState(stream, undefined);
    }
    if (this.#isSettled) return;
    if (this.#stopReason === 'stopping') await this.claim.giveBack();
    if (this.#stopReason === 'removed') await this.#settle({ kind: 'ended' }, undefined);
  }

  /** The run cannot go on, and no end marker tells so. */
  async #fail(fault: Fault): Promise<void> {
    const { bus, report } = this.#context;
    const { run } = this.claim;
    report(fault, { stream: run.stream, run: run.run });
    const isSettled = await this.#settle({ kind: 'failed', fault: faultJson(fault) }, fault.code);
    if (isSettled && !this.#isFollowed) await publishFailedRun(bus, run, { fault, signal: this.#stop.signal });
  }

  async #playPrepared(prepared: PreparedStream): Promise<void> {
    const { bus } = this.#context;
    const { claim } = this;
    const { stream, spec } = claim.run;
    const { facts, frame, capacity, notices } = prepared;
    const { bytesPerFrame } = frame;
    const { mode } = spec;
    const frames = await createFrameBuffer(bus, { stream, epoch: claim.epoch, mode, capacity, bytesPerFrame });
    let done = false;
    try {
      const runFacts = { source: facts, frame, frames, capacity, notices };
      if (await claim.write({ kind: 'playing', ...runFacts })) {
        this.#isFollowed = true;
        this.#logStart(prepared);
        done = await this.#flow(prepared, runFacts);
      } else this.stop('superseded');
    } finally {
      // What the scheduler is to read to its end it deletes itself.
      if (!done) await deleteFrameBuffer(bus, frames);
    }
  }

  /** Plays to the end; whether the scheduler has an end marker to come to. */
  async #flow(prepared: PreparedStream, facts: RunFacts): Promise<boolean> {
    const { bus, settings, metrics, report } = this.#context;
    const { claim } = this;
    const { stream, run } = claim.run;
    const { signal } = this.#stop;
    metrics.setState(stream, 'playing');
    const flow = new FrameFlow({ bus, settings, metrics, claim, prepared, frames: facts.frames, signal });
    try {
      const fault = await flow.play();
      metrics.setState(stream, 'ending');
      if (fault) report(fault, { stream, run });
      let cut = false;
      const end = flow.end(() => {
        cut = signal.aborted;
        return cut ? this.#stopFault(prepared) : fault;
      });
      const isMarked = await this.#endInTime(end);
      const { decoded, played, published } = flow.totals(undefined);
      this.#logger.info({ decoded, played, published, fault: fault?.code ?? null, stop: this.#stopReason }, 'ended');
      if (!cut && isMarked) await this.#settle({ kind: 'ended', facts }, fault?.code);
      return isMarked && this.#stopReason !== 'removed' && this.#stopReason !== 'superseded';
    } finally {
      await flow.close();
    }
  }

  /** The end marker of a run that is stopped is not waited for long. Whether it was published. */
  async #endInTime(end: Promise<void>): Promise<boolean> {
    const outcome = end.then(
      () => 'marked' as const,
      (error: unknown) => ({ error }),
    );
    const limit = stopLimit(this.#stop.signal, STOP_LIMIT_MS);
    const first = await Promise.race([outcome, limit.passed]);
    limit.clear();
    if (first === 'marked') return true;
    if (first !== 'passed' && this.#stopReason === undefined) throw first.error;
    return false;
  }

  #stopFault({ source }: PreparedStream): Fault | undefined {
    return this.#stopReason === 'stopping' ? stoppedFault(source) : undefined;
  }

  /** Writes the state that the run ends in. False where another ingest has taken it. */
  #settle(state: RunState, fault: FaultCode | undefined): Promise<boolean> {
    this.#isSettled = true;
    this.#context.metrics.runs.inc({ fault: fault ?? 'none' });
    return this.claim.write(state);
  }

  #logStart({ facts, frame, capacity, notices, source }: PreparedStream): void {
    const { epoch, run } = this.claim;
    const { width, height, pixelFormat, encoding } = frame;
    const { codec, sampling, fps } = facts;
    for (const notice of notices) this.#logger.info(notice);
    this.#logger.info(
      {
        epoch,
        source: source.label,
        mode: run.spec.mode,
        codec,
        sampling,
        fps,
        width,
        height,
        pixelFormat,
        encoding,
        capacity,
      },
      'playing',
    );
  }
}

type StopLimit = { readonly passed: Promise<'passed'>; clear(): void };

/** Passes this long after the signal aborts. */
function stopLimit(signal: AbortSignal, limitMs: number): StopLimit {
  const passed = Promise.withResolvers<'passed'>();
  let timer: NodeJS.Timeout | undefined;
  const start = (): void => {
    timer = setTimeout(() => passed.resolve('passed'), limitMs);
  };
  if (signal.aborted) start();
  else signal.addEventListener('abort', start, { once: true });
  return {
    passed: passed.promise,
    clear() {
      signal.removeEventListener('abort', start);
      clearTimeout(timer);
    },
  };
}
