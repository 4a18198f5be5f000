/**
 * One run of one stream, as long as this ingest has it: epoch after epoch, until its source comes to its end, cannot be played, or
 * the run is another's. How its source is stands in its life; what follows from an epoch's end is decided by run-verdict.ts.
 *
 * What goes wrong before the run ever played ends it here, with its end published in the scheduler's place; what goes wrong later
 * travels in the end marker, so that what was decoded is answered.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { announceStatus } from '@stream-infer/bus/announcements';
import type { Entry } from '@stream-infer/bus/bucket';
import { busErrorKind } from '@stream-infer/bus/bus-error';
import { type Fault, type FaultCode, faultJson, toFault } from '@stream-infer/core/fault';
import type { RunFacts, RunState } from '@stream-infer/core/run';
import { goesOnUnder } from '@stream-infer/core/run-continuity';
import type { SourceCondition, SourceReason } from '@stream-infer/core/source-state';
import { Standstill } from '@stream-infer/core/standstill';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import type { Logger } from '@stream-infer/service-kit/logger';
import { inTime } from './end-marking.ts';
import { Succession, type Turn, type TurnVerdict } from './epoch-succession.ts';
import { EpochYield } from './epoch-yield.ts';
import { NO_PROGRESS } from './frame-flow.ts';
import type { Size } from './geometry.ts';
import type { PlayingContext } from './playing-context.ts';
import { logPlaying, logResized } from './playing-log.ts';
import type { RunClaim } from './run-claim.ts';
import { publishFailedRun } from './run-end.ts';
import { afterOpening, afterPlaying, type StopReason, type Verdict } from './run-verdict.ts';
import { SourceLife } from './source-life.ts';
import { isStillThere, sourceReason } from './source-reason.ts';
import { type EpochEnd, StreamEpoch } from './stream-epoch.ts';
import type { PreparedStream } from './stream-preparation.ts';

const STATUS_MS = { offline: 250, realtime: 1_000 } as const;

export class StreamPlaying {
  /** Resolves when the run is over, or left, and everything of it closed. Never rejects. */
  readonly over: Promise<void>;
  /** Of its frames. */
  readonly standstill = new Standstill();
  readonly #context: PlayingContext;
  readonly #logger: Logger;
  readonly #stop = new AbortController();
  readonly #life: SourceLife;
  #claim: RunClaim;
  #epoch: StreamEpoch | undefined;
  #progress = NO_PROGRESS;
  readonly #yield = new EpochYield();
  readonly #succession: Succession;
  /** What is known of the source may not hold any more. */
  #isLost = false;
  /** Of the newest epoch that played: then the run's end is the scheduler's to publish (EX-7). */
  #facts: RunFacts | undefined;

  constructor(context: PlayingContext, claim: RunClaim) {
    const { stream, run } = claim.run;
    const { backoffMinMs: minMs, backoffMaxMs: maxMs, stallMs } = context.settings;
    this.#claim = claim;
    this.#context = context;
    this.#logger = context.logger.child({ stream, run });
    this.#life = new SourceLife({
      backoff: { minMs, maxMs, random: Math.random },
      stallMs,
      wallMs: Date.now,
      onChange: (condition) => this.#changed(condition),
    });
    this.#succession = new Succession({
      claimNext: (spec) => this.#claimNext(spec),
      begin: (predecessor) => this.#begin(predecessor),
      report: (error) => context.report(toFault(error), { stream, run }),
      limitMs: context.settings.openTimeoutMs,
    });
    this.over = this.#run().catch((error: unknown) => context.report(toFault(error), { stream, run }));
  }

  get claim(): RunClaim {
    return this.#claim;
  }

  /** Whether its source plays: then it can change hands with nothing lost but a moment. */
  get isPlaying(): boolean {
    return this.#life.condition.state === 'playing';
  }

  /** Ends the run here; `over` tells when it has. The first reason counts. */
  stop(reason: StopReason): void {
    if (!this.#stop.signal.aborted) this.#stop.abort(reason);
  }

  get #stopReason(): StopReason | undefined {
    return this.#stop.signal.aborted ? (this.#stop.signal.reason as StopReason) : undefined;
  }

  /** The stream's spec is another. False where that is another run's (EX-10). */
  change(spec: Entry<StreamSpec>): boolean {
    if (this.#succession.isWanted(spec)) return true;
    const { run, known } = this.#claim;
    if (this.#stop.signal.aborted || known === undefined || !goesOnUnder(run.spec, spec.value)) return false;
    this.#succession.want(spec);
    this.#succession.look(this.#epoch);
    return true;
  }

  async #run(): Promise<void> {
    const { metrics } = this.#context;
    const { stream, spec } = this.#claim.run;
    metrics.setCondition(stream, { ...this.#life.condition, mode: spec.mode });
    const telling = setInterval(() => {
      this.#announce();
      if (!this.#stop.signal.aborted) this.#succession.look(this.#epoch);
    }, STATUS_MS[spec.mode]);
    let turn: Turn | undefined = this.#begin(undefined);
    try {
      while (turn) turn = await this.#afterTurn(await this.#turn(turn));
    } finally {
      clearInterval(telling);
      this.#announce();
      metrics.setCondition(stream, undefined);
    }
  }

  /** What follows a turn; undefined where nothing does. */
  async #afterTurn(verdict: TurnVerdict): Promise<Turn | undefined> {
    const next = await this.#succession.take();
    if (verdict.kind !== 'over' && next) return next;
    await next?.epoch.discard();
    return verdict.kind === 'again' && (await this.#goOn(verdict.reason)) ? this.#begin(undefined) : undefined;
  }

  async #claimNext(spec: Entry<StreamSpec> | undefined): Promise<RunClaim | undefined> {
    const next = await this.#claim.next(spec);
    if (next) this.#claim = next;
    else this.stop('superseded');
    return next;
  }

  /** Waits, then begins the next epoch. False where the run is left. */
  async #goOn(reason: SourceReason): Promise<boolean> {
    const { signal } = this.#stop;
    this.#isLost = !isStillThere(reason);
    const waitMs = this.#life.lost(reason);
    await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) {
      await this.#leave(undefined);
      return false;
    }
    const next = await this.#claimNext(this.#succession.takeWanted());
    if (next === undefined) this.#fenced();
    return next !== undefined;
  }

  #begin(predecessor: StreamEpoch | undefined): Turn {
    const epoch = new StreamEpoch({
      context: this.#context,
      claim: this.#claim,
      life: this.#life,
      lastPlayed: this.#yield.lastPlayed,
      isLost: this.#isLost && predecessor === undefined,
      signal: this.#stop.signal,
      predecessor,
      playing: (prepared) => this.#playing(epoch, prepared),
      resized: (size) => this.#resized(size),
    });
    return { epoch, end: epoch.play() };
  }

  /** One epoch, closed when this resolves. */
  async #turn({ epoch, end: ending }: Turn): Promise<TurnVerdict> {
    this.#epoch = epoch;
    try {
      const end = await ending;
      this.#yield.note(epoch);
      return await this.#after(epoch, end);
    } catch (error) {
      return await this.#broke(error);
    } finally {
      this.#progress = epoch.progress ?? this.#progress;
      this.#epoch = undefined;
      await epoch.close();
    }
  }

  #playing(epoch: StreamEpoch, prepared: PreparedStream): void {
    this.#facts = epoch.facts;
    this.#context.metrics.epochs.inc({ stream: this.#claim.run.stream });
    logPlaying(this.#logger, this.#claim, prepared);
  }

  #resized(size: Size): void {
    this.#context.metrics.resized.inc({ stream: this.#claim.run.stream });
    logResized(this.#logger, size);
  }

  async #after(epoch: StreamEpoch, end: EpochEnd): Promise<TurnVerdict> {
    const { report } = this.#context;
    const { stream, run, spec } = this.#claim.run;
    switch (end.kind) {
      case 'stopped':
        await this.#leave(epoch);
        return { kind: 'over' };
      case 'fenced':
        this.#fenced();
        return { kind: 'over' };
      case 'succeeded':
        return { kind: 'succeeded' };
      case 'rewound':
        this.#logger.info('frames are gone from the bus: decoding them again');
        await epoch.discard();
        return { kind: 'again', reason: 'bus-away' };
      case 'played': {
        if (end.fault) report(end.fault, { stream, run });
        const verdict = afterPlaying(spec, { ...end, isFruitless: this.#yield.isFruitless });
        if (verdict.kind === 'again') return verdict;
        await this.#conclude(epoch, end.fault);
        return { kind: 'over' };
      }
    }
  }

  /** The source came to its end. A stop that comes now changes nothing any more, unless the marker cannot be published in time. */
  async #conclude(epoch: StreamEpoch, fault: Fault | undefined): Promise<void> {
    const isMarked = await inTime(epoch.mark(fault), this.#stop.signal);
    if (!isMarked) return await this.#leave(epoch);
    if (fault) this.#life.failed(sourceReason(fault));
    else this.#life.ended();
    if (epoch.facts) await this.#settle({ kind: 'ended', facts: epoch.facts }, fault?.code);
  }

  /** What could not be opened, or published. */
  async #broke(error: unknown): Promise<Verdict> {
    const { report } = this.#context;
    const { stream, run, spec } = this.#claim.run;
    const code = busErrorKind(error) === 'other' ? 'INTERNAL' : 'BUS_FAILED';
    const fault = toFault(error, code, `stream ${stream}`);
    report(fault, { stream, run });
    const verdict = afterOpening(spec, fault, this.#facts !== undefined || this.#claim.known !== undefined);
    if (verdict.kind === 'over') await this.#fail(fault);
    return verdict;
  }

  /** The run cannot go on, and no end marker tells so. */
  async #fail(fault: Fault): Promise<void> {
    const { bus } = this.#context;
    this.#life.failed(sourceReason(fault));
    const isSettled = await this.#settle({ kind: 'failed', fault: faultJson(fault) }, fault.code);
    if (isSettled && this.#facts === undefined)
      await publishFailedRun(bus, this.#claim.run, { fault, signal: this.#stop.signal });
  }

  /** Stopped from outside. @param epoch the one that was stopped; undefined between two. */
  async #leave(epoch: StreamEpoch | undefined): Promise<void> {
    switch (this.#stopReason) {
      case 'removed':
        return await this.#endRemoved(epoch);
      case 'superseded':
        this.#fenced();
        await epoch?.discard();
        return;
      case 'stopping':
      case 'moved':
      case undefined:
        await epoch?.close();
        this.#logger.info({ stop: this.#stopReason }, 'left to another ingest');
        await this.#claim.giveBack();
    }
  }

  /** What was published is still answered; nobody goes on with the run. */
  async #endRemoved(epoch: StreamEpoch | undefined): Promise<void> {
    this.#life.ended();
    const facts = epoch?.facts ?? this.#facts;
    if (epoch?.facts) await inTime(epoch.mark(epoch.removal), this.#stop.signal);
    if (facts) await this.#settle({ kind: 'ended', facts, removed: true }, epoch?.removal?.code);
    else await this.#claim.remove();
  }

  #fenced(): void {
    this.#context.metrics.fenced.inc();
    this.#logger.warn('another ingest has the run: standing down');
  }

  /** Writes the state that the run ends in. False where another ingest has taken it. */
  #settle(state: RunState, fault: FaultCode | undefined): Promise<boolean> {
    this.#context.metrics.runs.inc({ fault: fault ?? 'none' });
    return this.#claim.write(state);
  }

  #changed(condition: SourceCondition): void {
    const { metrics } = this.#context;
    const { stream, spec } = this.#claim.run;
    const { state, reason } = condition;
    metrics.setCondition(stream, { ...condition, mode: spec.mode });
    metrics.sourceChanges.inc({ stream, state, reason });
    this.#logger.info({ state, reason }, 'source');
    this.#announce();
  }

  #announce(): void {
    const { stream, run } = this.#claim.run;
    this.#progress = this.#epoch?.progress ?? this.#progress;
    announceStatus(this.#context.bus, { stream, run, condition: this.#life.condition, ...this.#progress });
  }
}
