/**
 * One run, from its first frame's headers to its end: read, schedule, dispatch, publish, release.
 *
 * Invariants: what is known of the run's progress stands in RESULTS, so that another process can go on (EX-6); the run's end is
 * published after all of its results (EX-7); nothing of one run waits for another (I6).
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { announceRewind } from '@stream-infer/bus/announcements';
import type { HeldRun } from '@stream-infer/bus/registry';
import { type Fault, faultJson, toFault } from '@stream-infer/core/fault';
import type { AlgorithmTotals } from '@stream-infer/core/result-record';
import type { SourceEnd } from '@stream-infer/core/run';
import { samplePlan } from '@stream-infer/core/sample-plan';
import type { Logger } from '@stream-infer/service-kit/logger';
import { Condition } from './condition.ts';
import { type FeedEnd, FrameFeed, type Registered } from './frame-feed.ts';
import { heldRun } from './held-run.ts';
import type { BufferedFrame } from './invocation-message.ts';
import { LaneStatusReport } from './lane-status.ts';
import type { PlayingRun } from './playing-run.ts';
import { Releaser } from './release.ts';
import { RunClosing } from './run-closing.ts';
import { runEnd } from './run-end.ts';
import { openLanes, type RunLanes, type RunLanesOptions, type RunSchedule, runTotals } from './run-lanes.ts';

export type StreamRunOptions = Omit<RunLanesOptions, 'plan' | 'status' | 'signal' | 'events'> & {
  /** Names this scheduler on the bus. */
  readonly replica: string;
  readonly logger: Logger;
  report(fault: Fault, fields: Readonly<Record<string, unknown>>): void;
};

/**
 * `following`: frames come and are answered. `left`: the run goes on elsewhere, in another epoch or process. `over`: its end is
 * published.
 */
type StreamRunState = 'following' | 'left' | 'over';

const REWIND_MS = 1_000;
const EXPIRE_MS = 250;

export class StreamRun {
  readonly run: PlayingRun;
  /** Resolves when nothing of it is left to do here. Never rejects. */
  readonly done: Promise<void>;
  readonly #options: StreamRunOptions;
  readonly #logger: Logger;
  readonly #feed: FrameFeed;
  readonly #releaser: Releaser;
  readonly #closing: RunClosing;
  readonly #status: LaneStatusReport;
  readonly #left = new AbortController();
  readonly #condition = new Condition();
  #state: StreamRunState = 'following';
  #opened: RunLanes | undefined;
  #stopFollowing: (() => void) | undefined;
  #fault: Fault | undefined;
  /** A defect keeps it from going on. */
  #broken = false;

  constructor(options: StreamRunOptions) {
    const { bus, run, replica } = options;
    this.run = run;
    this.#options = options;
    this.#logger = options.logger.child({ stream: run.stream, run: run.run, epoch: run.epoch });
    this.#feed = new FrameFeed({
      bus,
      run,
      replica,
      isIdle: () => this.#opened?.schedule.schedules.every((schedule) => schedule.idle) ?? true,
    });
    this.#releaser = new Releaser({ bus, run });
    this.#status = new LaneStatusReport(bus, run);
    this.#closing = new RunClosing({ ...options, signal: this.#left.signal });
    this.done = this.#live();
  }

  /** The registry says something else of the run. */
  registered(registered: Registered): void {
    this.#feed.registered(registered);
  }

  /**
   * Another epoch, or another scheduler, has taken over: what is under way is taken back, what is being published is finished. Resolves
   * with the ledgers' totals, those of algorithms that the run had before included; in realtime nothing is left open in them, offline what is open
   * is due again in the next epoch.
   * @param graceMs how long what is under way may take to be answered first, where its frames are still there.
   */
  async drop(graceMs = 0): Promise<ReadonlyMap<string, AlgorithmTotals>> {
    this.#feed.stop();
    if (graceMs > 0) {
      for (const lane of this.#lanes) lane.halt();
      await this.#condition.within(graceMs, () => this.#isQuiet);
    }
    for (const lane of this.#lanes) lane.close();
    await this.#condition.until(() => this.#isQuiet);
    if (!this.#isOffline) for (const schedule of this.#opened?.schedule.schedules ?? []) schedule.abandon('epoch-over');
    for (const lane of this.#lanes) lane.closeMetrics();
    this.#leave();
    await this.done;
    return this.#totals;
  }

  get #totals(): ReadonlyMap<string, AlgorithmTotals> {
    return runTotals(this.#options.inherited, this.#opened);
  }

  get #isQuiet(): boolean {
    return this.#state === 'over' || this.#lanes.every((lane) => lane.isQuiet);
  }

  /** Sends nothing more; resolves when what is under way is published. Another process can go on. Idempotent. */
  async halt(): Promise<void> {
    this.#feed.stop();
    for (const lane of this.#lanes) lane.halt();
    await this.#condition.until(() => this.#isQuiet);
    if (!this.#isOffline) for (const schedule of this.#opened?.schedule.schedules ?? []) schedule.abandon('epoch-over');
    this.#leave();
    await this.done;
  }

  /** What is lost with this process if it dies; undefined where nothing is: offline all is found in RESULTS. */
  get held(): HeldRun | undefined {
    const isHeld = !this.#isOffline && this.#state === 'following';
    return isHeld && this.#opened ? heldRun(this.run, this.#opened) : undefined;
  }

  /** Whether its end is published. */
  get isOver() {
    return this.#state === 'over';
  }

  get #lanes(): RunLanes['lanes'] {
    return this.#opened?.lanes ?? [];
  }

  #leave(): void {
    if (this.#state === 'following') this.#state = 'left';
    this.#feed.stop();
    this.#left.abort();
    this.#condition.notify();
  }

  async #live(): Promise<void> {
    try {
      const { run } = this;
      if (await this.#closing.isClosed()) {
        this.#state = 'over';
        await this.#closing.clear([...this.#totals.keys()]);
        return await this.#conclude();
      }
      const plan = samplePlan(run.spec, run.state.source);
      const events = {
        changed: () => this.#changed(),
        gone: () => this.#gone(),
        fenced: () => this.#fenced(),
        failed: (fault: Fault) => this.#broke(fault),
        notStored: (fault: Fault) => this.#report(fault),
      };
      const { signal } = this.#left;
      this.#opened = await openLanes({ ...this.#options, plan, status: this.#status, signal, events });
      if (this.#opened) {
        this.#stopFollowing = this.#options.metrics.framesOf(run.stream).follow(this.#opened.account);
        await this.#play(this.#opened.schedule);
      }
    } catch (error) {
      this.#failed(toFault(error));
      await this.#finish(this.#feed.soFar);
    }
    await this.#conclude();
  }

  async #conclude(): Promise<void> {
    // Where a defect ended the run, windows may be open.
    if (this.#state === 'over') for (const one of this.#opened?.schedule.schedules ?? []) one.abandon('stopped');
    this.#opened?.account.close(this.#state === 'over');
    this.#stopFollowing?.();
    for (const lane of this.#lanes) {
      lane.close();
      lane.closeMetrics();
    }
    this.#status.close();
    await this.#releaser.close();
    this.#condition.notify();
  }

  async #play(schedule: RunSchedule): Promise<void> {
    this.#logger.info('run is followed');
    let ended = await this.#feed.read((frame, newest) => this.#frame(schedule, frame, newest));
    const isShort = ended.kind === 'marker' && this.#isOffline && schedule.hasGapBefore(ended.end.lastPublished);
    if (isShort) this.#feed.lose();
    if (ended.kind === 'marker') this.#opened?.account.end(ended.sequence, ended.newest);
    if (ended.kind === 'marker' && !isShort) {
      schedule.end(ended.end.lastPublished);
      this.#changed();
      await this.#complete(schedule);
    }
    if (this.#feed.isLost || ended.kind === 'gone') ended = (await this.#awaitNextEpoch()) ?? { kind: 'stopped' };
    if (ended.kind === 'stopped') {
      // What is under way is answered and published first: `halt` waits for it.
      await this.#condition.until(() => this.#state !== 'following' || this.#broken);
      if (!this.#broken) return;
    }
    if (ended.kind === 'missing') {
      if (ended.fault) this.#failed(ended.fault);
      schedule.stop();
      this.#changed();
      await this.#complete(schedule);
    }
    await this.#finish(ended.kind === 'marker' || ended.kind === 'missing' ? ended.end : this.#feed.soFar);
  }

  /** Resolves when every window is settled, or nothing more is to be done here. */
  async #complete(schedule: RunSchedule): Promise<void> {
    const expiring = setInterval(() => {
      schedule.expire(performance.now());
      this.#changed();
    }, EXPIRE_MS);
    await this.#condition.until(
      () => this.#state !== 'following' || this.#broken || this.#feed.isLost || schedule.complete,
    );
    clearInterval(expiring);
  }

  /**
   * Asks the stream's ingest for the next epoch, which begins with the oldest frame that is still wanted (EX-4), until it, or another
   * scheduler, takes over, or the registry says that none comes: then how the run ends. In realtime nothing is asked for: what is gone is gone, and the
   * source is connected to anew by itself.
   */
  async #awaitNextEpoch(): Promise<FeedEnd | undefined> {
    const { bus } = this.#options;
    const { stream, run, epoch } = this.run;
    for (const lane of this.#lanes) lane.halt();
    if (this.#isOffline) this.#logger.warn('frames that are wanted are in the buffer no more: asking for them again');
    while (this.#state === 'following' && !this.#broken) {
      const ended = this.#feed.withoutMarker();
      if (ended.kind === 'missing') return ended;
      if (this.#isOffline) announceRewind(bus, stream, { run, epoch });
      await sleep(REWIND_MS, undefined, { signal: this.#left.signal }).catch(() => undefined);
    }
    return undefined;
  }

  get #isOffline(): boolean {
    return this.run.spec.mode === 'offline';
  }

  #frame(schedule: RunSchedule, frame: BufferedFrame, newest: number): void {
    this.#opened?.account.read(frame, newest);
    if (this.#isOffline && schedule.hasGapBefore(frame.header.previous)) {
      this.#feed.lose();
      return;
    }
    schedule.frame(frame, frame.header.previous, performance.now(), frame.header.ageMs);
    for (const lane of this.#lanes) lane.offer();
    this.#release();
  }

  #changed(): void {
    this.#release();
    this.#condition.notify();
  }

  /** In realtime the buffer drops its oldest frame by itself (EX-8), and the ingest waits for nobody. */
  #release(): void {
    const through = this.#opened?.schedule.release();
    if (through !== undefined && this.#isOffline) this.#releaser.through(through);
  }

  /** Frames are wanted that are in the buffer no more, or what an algorithm remembered is to be learnt again. */
  #gone(): void {
    this.#feed.lose();
    this.#condition.notify();
  }

  #fenced(): void {
    this.#options.metrics.fenced();
    this.#logger.warn('another scheduler has the stream: standing down');
    void this.drop();
  }

  /** The first fault is the run's. */
  #failed(fault: Fault): void {
    this.#report(fault);
    this.#fault ??= fault;
  }

  #report(fault: Fault): void {
    const { stream, run, epoch } = this.run;
    this.#options.report(fault, { stream, run, epoch });
  }

  #broke(fault: Fault): void {
    this.#failed(fault);
    this.#broken = true;
    this.#feed.stop();
    this.#condition.notify();
  }

  /** Publishes the run's end, unless it goes on elsewhere, and deletes its buffer. Never rejects. */
  async #finish(source: SourceEnd): Promise<void> {
    const { run } = this;
    const fault = source.fault ?? (this.#fault && faultJson(this.#fault)) ?? null;
    if (this.#state !== 'following') return;
    const closed = await this.#closing.publish(
      () => runEnd(run, source, this.#totals, Date.now(), fault),
      async () => (await this.#opened?.isForgotten()) ?? false,
    );
    if (closed === 'forgotten') this.#fenced();
    if (closed !== 'published') return;
    this.#state = 'over';
    this.#logger.info({ fault: fault?.code }, 'run is over');
    await this.#closing.clear([...this.#totals.keys()]);
  }
}
