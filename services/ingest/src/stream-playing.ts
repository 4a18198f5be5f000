/**
 * One run of one stream, as long as this ingest has it: epoch after epoch, until its source comes to its end, cannot be played, or
 * the run is another's. How its source is stands in its life; what follows from an epoch's end is decided by run-verdict.ts.
 *
 * What goes wrong before the run ever played ends it here, with its end published in the scheduler's place; what goes wrong later
 * travels in the end marker, so that what was decoded is answered.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Entry } from '@stream-infer/bus/bucket';
import { busErrorKind } from '@stream-infer/bus/bus-error';
import { toFault } from '@stream-infer/core/fault';
import type { NewestFrame, Run, RunFacts } from '@stream-infer/core/run';
import { goesOnUnder } from '@stream-infer/core/run-continuity';
import type { SourceReason } from '@stream-infer/core/source-state';
import { Standstill } from '@stream-infer/core/standstill';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import type { Logger } from '@stream-infer/service-kit/logger';
import { Succession, type Turn, type TurnVerdict } from './epoch-succession.ts';
import { elsewhere, FILL_LIMIT_MS, type Predecessor } from './epoch-takeover.ts';
import { EpochYield } from './epoch-yield.ts';
import { HandOver, type LeaveReason } from './hand-over.ts';
import type { PlayingContext } from './playing-context.ts';
import { logPlaying } from './playing-log.ts';
import type { RunClaim } from './run-claim.ts';
import { RunSettlement } from './run-settlement.ts';
import { afterOpening, afterPlaying, type StopReason, type Verdict } from './run-verdict.ts';
import { isStillThere } from './source-reason.ts';
import { SourceReport } from './source-report.ts';
import { type EpochEnd, StreamEpoch } from './stream-epoch.ts';
import type { PreparedStream } from './stream-preparation.ts';

const LOOK_MS = 250;
/** How long another ingest may take to end its ffmpeg. */
const LEAVING_MS = 1_500;

export class StreamPlaying {
  /** Resolves when the run is over, or left, and everything of it closed. Never rejects. */
  readonly over: Promise<void>;
  /** Of its frames. */
  readonly standstill = new Standstill();
  readonly #context: PlayingContext;
  readonly #logger: Logger;
  readonly #stop = new AbortController();
  readonly #report: SourceReport;
  readonly #settlement: RunSettlement;
  #claim: RunClaim;
  #epoch: StreamEpoch | undefined;
  readonly #yield = new EpochYield();
  readonly #succession: Succession;
  /** Another ingest is to have the run, and this one plays on until that one plays. */
  #handOver: HandOver | undefined;
  /** It opens the source beside an ingest that plays the run. */
  #isBeside: boolean;
  /** What is known of the source may not hold any more. */
  #isLost = false;
  /** Of the newest epoch that played: then the run's end is the scheduler's to publish (EX-7). */
  #facts: RunFacts | undefined;

  constructor(context: PlayingContext, claim: RunClaim) {
    this.#claim = claim;
    this.#isBeside = claim.isOffered;
    this.#context = context;
    this.#logger = context.logger.child({ stream: claim.run.stream, run: claim.run.run });
    const quietUntilMs = performance.now() + context.settings.openTimeoutMs + FILL_LIMIT_MS;
    this.#report = new SourceReport({
      context,
      logger: this.#logger,
      run: claim.run,
      progress: () => this.#epoch?.progress,
      isElsewhere: () => (this.#isBeside && performance.now() < quietUntilMs) || this.#stopReason === 'handed-over',
    });
    this.#settlement = new RunSettlement({ context, life: this.#report.life, signal: this.#stop.signal });
    this.#succession = new Succession({
      claimNext: (spec) => this.#claimNext(spec),
      begin: (predecessor) => this.#begin(predecessor),
      report: this.#tell,
      limitMs: context.settings.openTimeoutMs + FILL_LIMIT_MS,
    });
    this.over = this.#run().catch(this.#tell);
  }

  get claim(): RunClaim {
    return this.#claim;
  }

  /** Of what the run has played, as far as its ingests have told. */
  get #newest(): NewestFrame | undefined {
    return this.#epoch?.newest ?? this.#yield.newest ?? this.#claim.newest;
  }

  /** Whether its source plays: then it can change hands with nothing lost but a moment. */
  get isPlaying(): boolean {
    return this.#epoch?.isTold === true && this.#report.life.condition.state === 'playing';
  }

  /** Ends the run here; `over` tells when it has. The first reason counts. */
  readonly stop = (reason: StopReason): void => {
    if (!this.#stop.signal.aborted) this.#stop.abort(reason);
  };

  /** Leaves the run to another ingest: a camera that plays is handed over without a gap. @param limitMs how long that may take. */
  leave(reason: LeaveReason, limitMs: number): void {
    const { newest, facts } = this.#epoch ?? {};
    const isSteady = this.isPlaying && !this.#succession.isUnderWay;
    if (this.#stop.signal.aborted) return;
    if (this.#handOver) this.#handOver.hasten(reason, limitMs);
    else if (!newest || !facts || !isSteady || !this.#isCamera || limitMs <= 0) this.stop(reason);
    else {
      const offer = { claim: this.#claim, newest, facts };
      this.#handOver = new HandOver({ ...offer, leave: this.stop, report: this.#tell }, reason, limitMs);
    }
  }

  /** Whether it is to be another's, and plays on until then. */
  get isOffered(): boolean {
    return this.#handOver !== undefined;
  }

  /** The registry says this of the stream's run. */
  registered(run: Entry<Run>): void {
    if (run.revision <= this.#claim.revision || run.value.owner === this.#claim.run.owner) return;
    if (this.#handOver) this.#handOver.registered(run);
    else this.stop('superseded');
  }

  /** Whether its frames come at their own time, whoever has it open. */
  get #isCamera(): boolean {
    return this.#claim.run.spec.mode === 'realtime' && this.#claim.known !== undefined;
  }

  get #stopReason(): StopReason | undefined {
    return this.#stop.signal.aborted ? (this.#stop.signal.reason as StopReason) : undefined;
  }

  /** The stream's spec is another. False where that is another run's (EX-10). */
  change(spec: Entry<StreamSpec>): boolean {
    if (this.#succession.isWanted(spec)) return true;
    if (this.#stop.signal.aborted || !this.#isCamera || !goesOnUnder(this.#claim.run.spec, spec.value)) return false;
    this.#succession.want(spec);
    this.#look();
    return true;
  }

  async #run(): Promise<void> {
    const looking = setInterval(() => this.#look(), LOOK_MS);
    const { isOffered, newest } = this.#claim;
    let turn: Turn | undefined = this.#begin(isOffered && newest ? elsewhere(newest) : undefined);
    try {
      while (turn) turn = await this.#afterTurn(await this.#turn(turn));
    } finally {
      clearInterval(looking);
      this.#handOver?.close();
      this.#report.close();
    }
  }

  /** What follows a turn; undefined where nothing does. */
  async #afterTurn(verdict: TurnVerdict): Promise<Turn | undefined> {
    const wasBeside = this.#isBeside;
    this.#isBeside = false;
    const next = await this.#succession.take();
    if (verdict.kind !== 'over' && next) return next;
    await next?.epoch.discard();
    this.#handOver?.giveUp();
    return verdict.kind === 'again' && (await this.#goOn(verdict.reason, wasBeside))
      ? this.#begin(undefined)
      : undefined;
  }

  /** Begins an epoch for what is wanted; while the run changes hands that waits for who has it then. */
  #look(): void {
    if (!this.#stop.signal.aborted && !this.#handOver && !this.#isBeside) this.#succession.look(this.#epoch);
  }

  async #claimNext(spec: Entry<StreamSpec> | undefined): Promise<RunClaim | undefined> {
    const next = await this.#claim.next(spec);
    if (next) this.#claim = next;
    else this.stop('superseded');
    return next;
  }

  /**
   * Begins the next epoch, after a wait. False where the run is left.
   * @param wasBeside what could not be opened beside another ingest is not lost: the claim makes that one leave, and then it is opened.
   */
  async #goOn(reason: SourceReason, wasBeside: boolean): Promise<boolean> {
    const { signal } = this.#stop;
    const wait = (ms: number) => sleep(ms, undefined, { signal }).catch(() => undefined);
    if (!signal.aborted && !wasBeside) {
      this.#isLost = !isStillThere(reason);
      await wait(this.#report.life.lost(reason));
    }
    if (signal.aborted) {
      await this.#leave(undefined);
      return false;
    }
    const next = await this.#claimNext(this.#succession.takeWanted());
    if (next === undefined) this.#fenced();
    else if (wasBeside) await wait(LEAVING_MS);
    return next !== undefined;
  }

  #begin(predecessor: Predecessor | undefined): Turn {
    const epoch = new StreamEpoch({
      context: this.#context,
      claim: this.#claim,
      life: this.#report.life,
      newest: this.#newest,
      isLost: this.#isLost && predecessor === undefined,
      signal: this.#stop.signal,
      predecessor,
      playing: (prepared) => this.#playing(epoch, prepared),
      logger: this.#logger,
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
      this.#report.note(epoch.progress);
      this.#epoch = undefined;
      await epoch.close();
    }
  }

  #playing(epoch: StreamEpoch, prepared: PreparedStream): void {
    this.#isBeside = false;
    this.#facts = epoch.facts;
    this.#context.metrics.epochs.inc({ stream: this.#claim.run.stream });
    logPlaying(this.#logger, this.#claim, prepared);
  }

  async #after(epoch: StreamEpoch, end: EpochEnd): Promise<TurnVerdict> {
    const { spec } = this.#claim.run;
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
        if (end.fault) this.#report.broke(end.fault);
        const verdict = afterPlaying(spec, { ...end, isFruitless: this.#yield.isFruitless });
        if (verdict.kind === 'again') return verdict;
        if (!(await this.#settlement.end(this.#claim, epoch, end.fault))) await this.#leave(epoch);
        return { kind: 'over' };
      }
    }
  }

  /** What could not be opened, or published. */
  async #broke(error: unknown): Promise<Verdict> {
    const { stream, spec } = this.#claim.run;
    const code = busErrorKind(error) === 'other' ? 'INTERNAL' : 'BUS_FAILED';
    const fault = toFault(error, code, `stream ${stream}`);
    this.#report.broke(fault);
    const verdict = afterOpening(spec, fault, this.#facts !== undefined || this.#claim.known !== undefined);
    if (verdict.kind === 'over') await this.#settlement.fail(this.#claim, fault, this.#facts !== undefined);
    return verdict;
  }

  /** Stopped from outside. @param epoch the one that was stopped; undefined between two. */
  async #leave(epoch: StreamEpoch | undefined): Promise<void> {
    switch (this.#stopReason) {
      case 'removed':
        return await this.#settlement.remove(this.#claim, epoch, this.#facts);
      case 'superseded':
        this.#fenced();
        await epoch?.discard();
        return;
      case 'handed-over':
        await epoch?.close();
        this.#logger.info('handed over to another ingest');
        return;
      case 'stopping':
      case 'moved':
      case undefined:
        await epoch?.close();
        this.#logger.info({ stop: this.#stopReason }, 'left to another ingest');
        await this.#claim.giveBack(this.#isCamera ? this.#newest : undefined);
    }
  }

  readonly #tell = (error: unknown): void => {
    const { stream, run } = this.#claim.run;
    this.#context.report(toFault(error), { stream, run });
  };

  #fenced(): void {
    this.#context.metrics.fenced.inc();
    this.#logger.warn('another ingest has the run: standing down');
  }
}
