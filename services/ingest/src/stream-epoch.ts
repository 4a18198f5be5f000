/**
 * One epoch of a run: this ingest's uninterrupted turn at it (EX-1). Opened, played and closed here; what follows from how it ends is
 * decided by stream-playing.ts.
 *
 * The buffers of earlier epochs are deleted before this one has its own: an ingest that was paused and comes back is refused by the broker. One that
 * begins beside another takes its place first (epoch-takeover.ts).
 */

import { onRewind } from '@stream-infer/bus/announcements';
import { createFrameBuffer, deleteFrameBuffer, deleteFrameBuffers } from '@stream-infer/bus/frame-stream';
import { resultProgress } from '@stream-infer/bus/result-progress';
import { openSnapshots } from '@stream-infer/bus/snapshots';
import { type Fault, toFault } from '@stream-infer/core/fault';
import type { NewestFrame, RunFacts } from '@stream-infer/core/run';
import type { Logger } from '@stream-infer/service-kit/logger';
import { connectionHost, type Leave } from './connection-gate.ts';
import { type EpochStart, laterEpochStart } from './epoch-start.ts';
import { EpochTakeover, type Predecessor } from './epoch-takeover.ts';
import { type FlowProgress, FrameFlow } from './frame-flow.ts';
import type { Size } from './geometry.ts';
import type { PlayingContext } from './playing-context.ts';
import { logResized } from './playing-log.ts';
import type { RunClaim } from './run-claim.ts';
import { resolveSource } from './source.ts';
import { openAccess } from './source-access.ts';
import { removedFault } from './source-fault.ts';
import type { SourceLife } from './source-life.ts';
import { type PreparedStream, prepareStream } from './stream-preparation.ts';

/**
 * `played`: its source came to its end, or broke by the fault; `facts` are the run's. `marked`: and its end marker stands in the buffer.
 * `succeeded`: the next epoch plays already. `rewound`: frames of it are gone from the bus. `fenced`: another ingest has the run. `stopped`: by the signal.
 */
export type EpochEnd =
  | { readonly kind: 'played'; readonly fault: Fault | undefined; readonly wasKilled: boolean; readonly live: boolean }
  | { readonly kind: 'succeeded' | 'rewound' | 'fenced' | 'stopped' };

export type StreamEpochOptions = {
  readonly context: PlayingContext;
  readonly claim: RunClaim;
  readonly life: SourceLife;
  /** Of what the run has played, as far as its ingests have told. */
  readonly newest: NewestFrame | undefined;
  /** Whether the source was lost, and may be another by now. */
  readonly isLost: boolean;
  readonly signal: AbortSignal;
  /** Plays until this one has frames enough for its longest window (EX-8, EX-10). */
  readonly predecessor?: Predecessor | undefined;
  /** The source is probed and the registry knows of the epoch. */
  playing(prepared: PreparedStream): void;
  readonly logger: Logger;
};

export class StreamEpoch implements Predecessor {
  readonly #options: StreamEpochOptions;
  /** Aborts with the epoch, whether it is stopped or rewound. */
  readonly #ending = new AbortController();
  #flow: FrameFlow | undefined;
  #prepared: PreparedStream | undefined;
  #facts: RunFacts | undefined;
  #rewound = false;
  #succeeded = false;
  #isTold = false;

  constructor(options: StreamEpochOptions) {
    this.#options = options;
  }

  get progress(): FlowProgress | undefined {
    return this.#flow?.progress;
  }

  /** The newest played frame, and when it came by the wall clock; undefined before the first. */
  get newest(): NewestFrame | undefined {
    return this.#flow?.newest;
  }

  /** Frames decoded. */
  get decoded(): number {
    return this.#flow?.totals(undefined).decoded ?? 0;
  }

  /** Whether the registry tells that the run plays this epoch. */
  get isTold(): boolean {
    return this.#isTold;
  }

  /** What the registry holds of the epoch, or is to hold, once it has a buffer. */
  get facts(): RunFacts | undefined {
    return this.#facts;
  }

  /** Throws the fault of a source that cannot be opened, of a stream that cannot be played, or of the bus. */
  async play(): Promise<EpochEnd> {
    const { context, claim, signal } = this.#options;
    const { stream, run } = claim.run;
    const stop = (): void => this.#ending.abort();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const unsubscribe = onRewind(context.bus, stream, (rewind) => {
      if (rewind.run !== run || rewind.epoch !== claim.epoch) return;
      this.#rewound = true;
      stop();
    });
    try {
      return await this.#play();
    } catch (error) {
      if (signal.aborted) return { kind: 'stopped' };
      if (this.#rewound) return { kind: 'rewound' };
      if (this.#succeeded) return { kind: 'succeeded' };
      throw error;
    } finally {
      unsubscribe();
      signal.removeEventListener('abort', stop);
    }
  }

  /**
   * Publishes the end marker; what waits of a stopped epoch is forgotten before. Throws BUS_FAILED.
   * @param fault why the run ends other than by its source's end.
   */
  async mark(fault: Fault | undefined): Promise<void> {
    this.#flow?.discard();
    await this.#flow?.end(fault);
  }

  /** The fault of a run whose stream is no more: offline it is not whole. A camera has no end that it could miss. */
  get removal(): Fault | undefined {
    const isWhole = this.#options.claim.run.spec.mode === 'realtime';
    return this.#prepared && !isWhole ? removedFault(this.#prepared.source) : undefined;
  }

  /** Ends what is under way. The buffer is left: the scheduler reads it to its end, or the next epoch deletes it. Idempotent. */
  async close(): Promise<void> {
    this.#ending.abort();
    await this.#flow?.close();
  }

  /** Another epoch of the run plays from now on. The buffer is left until what is under way of it is answered. */
  succeed(): void {
    this.#succeeded = true;
    this.#ending.abort();
  }

  /** Deletes the buffer, which nobody is to read. */
  async discard(): Promise<void> {
    await this.close();
    if (this.#facts) await deleteFrameBuffer(this.#options.context.bus, this.#facts.frames);
  }

  async #play(): Promise<EpochEnd> {
    const { context, claim, life, signal } = this.#options;
    const { settings, bus, gate, metrics } = context;
    const { spec } = claim.run;
    const { openTimeoutMs } = settings;
    const named = await resolveSource(spec, { environment: process.env, openTimeoutMs });
    const { source, close } = await openAccess(named, context.policy, openTimeoutMs);
    let leave: Leave = () => undefined;
    try {
      leave = await gate.enter(connectionHost(named), this.#ending.signal);
      const startOf = await this.#startOf();
      const { maxPayloadBytes } = bus;
      const { isLost, predecessor } = this.#options;
      const { known } = claim;
      const { signal: ending } = this.#ending;
      const prompt = predecessor !== undefined;
      const opening = { settings, source, startOf, known, isLost, prompt, maxPayloadBytes, signal: ending };
      const prepared = await prepareStream(spec, opening);
      this.#prepared = prepared;
      this.#ending.signal.throwIfAborted();
      if (!(await this.#open(prepared))) return { kind: 'fenced' };
      const { frames } = this.#facts as RunFacts;
      const left = leave;
      const takeover = predecessor && this.#takeover(prepared, predecessor);
      const progressed = (): void => {
        left();
        takeover?.look(this.newest);
      };
      this.#flow = new FrameFlow({
        bus,
        settings,
        metrics,
        claim,
        prepared,
        frames,
        life,
        progressed,
        resized: (size) => this.#resized(size),
        signal: this.#ending.signal,
      });
      // From here on the flow gives the place back.
      leave = () => undefined;
      const fault = await this.#flow.play();
      if (signal.aborted) return { kind: 'stopped' };
      if (this.#rewound) return { kind: 'rewound' };
      if (this.#succeeded) return { kind: 'succeeded' };
      return { kind: 'played', fault, wasKilled: this.#flow.wasKilled, live: prepared.facts.live };
    } finally {
      leave();
      await close();
    }
  }

  /** What the registry, RESULTS and the snapshots say of how far the run has come is read once, before the source is opened. */
  async #startOf(): Promise<(...facts: [PreparedStream['plan'], PreparedStream['facts']]) => EpochStart> {
    const { context, claim, predecessor } = this.#options;
    const { run } = claim;
    const beside = predecessor?.newest;
    if (beside) return () => ({ kind: 'onward', firstN: beside.n, atMs: beside.atMs });
    if (!claim.continues) return () => ({ kind: 'first' });
    const { bus } = context;
    const { stream, spec } = run;
    const snapshots = await openSnapshots(bus);
    const runsAfter = new Map<string, number>();
    let { newest } = this.#options;
    for (const { name } of spec.algorithms) {
      const place = { stream, run: run.run, algorithm: name };
      const { last, runsAfter: after } = await resultProgress(bus, snapshots, place, spec.mode);
      runsAfter.set(name, after);
      // An ingest that died has told nothing.
      if (last.capturedAtMs !== undefined && last.n > (newest?.n ?? 0)) newest = { n: last.n, atMs: last.capturedAtMs };
    }
    return (plan, { live }) => laterEpochStart({ run, plan, live, runsAfter, newest, nowMs: Date.now() });
  }

  /** The buffer is made and the registry told. False where another ingest has the run. */
  async #open(prepared: PreparedStream): Promise<boolean> {
    const { context, claim } = this.#options;
    const { bus } = context;
    const { stream, spec } = claim.run;
    const { facts, frame, capacity, notices } = prepared;
    const { predecessor } = this.#options;
    if (predecessor) claim.opens(claim.left);
    else {
      await deleteFrameBuffers(bus, stream, claim.left);
      claim.opens();
    }
    const buffer = { stream, epoch: claim.epoch, mode: spec.mode, capacity, bytesPerFrame: frame.bytesPerFrame };
    const frames = await createFrameBuffer(bus, buffer);
    this.#facts = { source: facts, frame, frames, capacity, notices };
    if (predecessor) return true;
    if (await this.#tell(this.#facts, prepared)) return true;
    await deleteFrameBuffer(bus, frames);
    return false;
  }

  #resized(size: Size): void {
    const { context, claim, logger } = this.#options;
    context.metrics.resized.inc({ stream: claim.run.stream });
    logResized(logger, size);
  }

  /** Tells the registry that the run plays this epoch. False where another ingest has the run. */
  async #tell(facts: RunFacts, prepared: PreparedStream): Promise<boolean> {
    if (!(await this.#options.claim.write({ kind: 'playing', ...facts }))) return false;
    this.#isTold = true;
    this.#options.playing(prepared);
    return true;
  }

  #takeover(prepared: PreparedStream, predecessor: Predecessor): EpochTakeover {
    const { context, claim } = this.#options;
    return new EpochTakeover({
      predecessor,
      span: Math.max(...prepared.plan.algorithms.map(({ span }) => span)),
      tell: () => this.#tell(this.#facts as RunFacts, prepared),
      forgetBefore: async () => {
        await deleteFrameBuffers(context.bus, claim.run.stream, claim.before);
        claim.opens();
      },
      report: (error) => context.report(toFault(error, 'BUS_FAILED'), { stream: claim.run.stream }),
      signal: this.#ending.signal,
    });
  }
}
