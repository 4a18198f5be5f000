/**
 * One run, from its first frame's headers to its end: read, schedule, dispatch, publish, release.
 *
 * Invariants: what is known of the run's progress stands in RESULTS, so that another process can go on (EX-6); the run's end is
 * published after all of its results (EX-7); nothing of one run waits for another (I6).
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus } from '@stream-infer/bus/bus';
import { deleteFrameBuffer } from '@stream-infer/bus/frame-stream';
import { hasRunEnded, publishRunEnd } from '@stream-infer/bus/result-stream';
import type { Snapshots } from '@stream-infer/bus/snapshots';
import { canonicalJson } from '@stream-infer/core/canonical-json';
import { Fault, faultJson, toFault } from '@stream-infer/core/fault';
import type { SourceEnd } from '@stream-infer/core/run';
import { samplePlan } from '@stream-infer/core/sample-plan';
import type { Logger } from '@stream-infer/service-kit/logger';
import { Condition } from './condition.ts';
import type { Dispatcher } from './dispatcher.ts';
import { FrameFeed, type Registered } from './frame-feed.ts';
import type { BufferedFrame } from './invocation-message.ts';
import type { LatenessReport } from './lateness-report.ts';
import type { SchedulerMetrics } from './metrics.ts';
import type { PlayingRun } from './playing-run.ts';
import { Releaser } from './release.ts';
import { runEnd } from './run-end.ts';
import { openLanes, type RunLanes, type RunSchedule } from './run-lanes.ts';

export type StreamRunOptions = {
  readonly bus: Bus;
  readonly run: PlayingRun;
  /** Names this scheduler on the bus. */
  readonly replica: string;
  readonly dispatcher: Dispatcher;
  readonly metrics: SchedulerMetrics;
  readonly lateness: LatenessReport;
  readonly snapshots: Snapshots;
  readonly logger: Logger;
  report(fault: Fault, fields: Readonly<Record<string, unknown>>): void;
};

/**
 * `following`: frames come and are answered. `left`: the run goes on elsewhere, in another epoch or process. `over`: its end is
 * published.
 */
type StreamRunState = 'following' | 'left' | 'over';

const END_RETRY_MS = 500;
const EXPIRE_MS = 250;

export class StreamRun {
  readonly run: PlayingRun;
  /** Resolves when nothing of it is left to do here. Never rejects. */
  readonly done: Promise<void>;
  readonly #options: StreamRunOptions;
  readonly #logger: Logger;
  readonly #feed: FrameFeed;
  readonly #releaser: Releaser;
  readonly #left = new AbortController();
  readonly #condition = new Condition();
  readonly #beganMs = performance.now();
  #state: StreamRunState = 'following';
  #opened: RunLanes | undefined;
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
    this.#releaser = new Releaser({
      bus,
      stream: run.stream,
      run: run.run,
      epoch: run.epoch,
      frames: run.state.frames,
    });
    this.done = this.#live();
  }

  /** The registry says something else of the run. */
  registered(registered: Registered): void {
    this.#feed.registered(registered);
  }

  /** Another epoch has taken over: what is under way is taken back and nothing more is published. Idempotent. */
  drop(): void {
    this.#leave();
    for (const lane of this.#lanes) lane.close();
  }

  /** Sends nothing more; resolves when what is under way is published. Another process can go on. Idempotent. */
  async halt(): Promise<void> {
    this.#feed.stop();
    for (const lane of this.#lanes) lane.halt();
    await this.#condition.until(() => this.#state === 'over' || this.#lanes.every((lane) => lane.isQuiet));
    this.#leave();
    await this.done;
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
      const { bus, run, dispatcher, metrics, lateness, snapshots } = this.#options;
      if (await this.#isOverAlready()) return await this.#conclude();
      const plan = samplePlan(run.spec, run.state.source);
      const events = {
        changed: () => this.#changed(),
        failed: (fault: Fault) => this.#broke(fault),
        notStored: (fault: Fault) => this.#report(fault),
        rewind: (fault: Fault) => this.#rewind(fault),
      };
      const { signal } = this.#left;
      this.#opened = await openLanes({ bus, run, plan, dispatcher, metrics, lateness, snapshots, signal, events });
      if (this.#opened) await this.#play(this.#opened.schedule);
    } catch (error) {
      this.#failed(toFault(error));
      await this.#finish(this.#feed.soFar);
    }
    await this.#conclude();
  }

  /**
   * A run that stands in the registry may have been answered to its end long ago, by a process that had no time to delete its buffer.
   * Asks until the bus answers, or the run goes on elsewhere.
   */
  async #isOverAlready(): Promise<boolean> {
    const { bus, run } = this.#options;
    while (this.#state === 'following') {
      try {
        if (!(await hasRunEnded(bus, run))) return false;
        this.#state = 'over';
        await this.#deleteBuffer();
      } catch (error) {
        this.#busFailed(error, 'whether it has ended is not known yet');
        await sleep(END_RETRY_MS, undefined, { signal: this.#left.signal }).catch(() => undefined);
      }
    }
    return true;
  }

  async #conclude(): Promise<void> {
    for (const lane of this.#lanes) lane.close();
    await this.#releaser.close();
    this.#condition.notify();
  }

  async #play(schedule: RunSchedule): Promise<void> {
    this.#logger.info('run is followed');
    const ended = await this.#feed.read((frame) => this.#frame(schedule, frame));
    switch (ended.kind) {
      case 'stopped':
        // What is under way is answered and published first: `halt` waits for it.
        await this.#condition.until(() => this.#state !== 'following' || this.#broken);
        if (!this.#broken) return;
        break;
      case 'marker':
        schedule.end(ended.end.lastPublished);
        break;
      case 'missing':
        if (ended.fault) this.#failed(ended.fault);
        schedule.stop();
    }
    if (schedule.lostWindows > 0 && this.run.spec.mode === 'offline')
      this.#failed(new Fault('BUS_FAILED', `frames of stream ${this.run.stream} were lost on the bus: run it again`));
    this.#changed();
    await this.#complete(schedule);
    await this.#finish(ended.kind === 'stopped' ? this.#feed.soFar : ended.end);
  }

  /** Resolves when every window is settled, or nothing more is to be done here. */
  async #complete(schedule: RunSchedule): Promise<void> {
    const expiring = setInterval(() => {
      schedule.expire(performance.now());
      this.#changed();
    }, EXPIRE_MS);
    await this.#condition.until(() => this.#state !== 'following' || this.#broken || schedule.complete);
    clearInterval(expiring);
  }

  #frame(schedule: RunSchedule, frame: BufferedFrame): void {
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
    if (through !== undefined && this.run.spec.mode === 'offline') this.#releaser.through(through);
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

  /** The stream has to be played from its beginning again, which another run of it does: this one ends with the fault. */
  #rewind(fault: Fault): void {
    this.#broke(new Fault(fault.code, `${fault.message}, or run it again`));
  }

  #broke(fault: Fault): void {
    this.#failed(fault);
    this.#broken = true;
    this.#feed.stop();
    this.#condition.notify();
  }

  /** Publishes the run's end, unless it goes on elsewhere, and deletes its buffer. Never rejects. */
  async #finish(source: SourceEnd): Promise<void> {
    const { bus, run } = this.#options;
    const ledgers = new Map(this.#opened?.schedule.schedules.map(({ algorithm, ledger }) => [algorithm.name, ledger]));
    const fault = source.fault ?? (this.#fault && faultJson(this.#fault)) ?? null;
    while (this.#state === 'following') {
      const end = runEnd(run, source, ledgers, performance.now() - this.#beganMs, fault);
      try {
        await publishRunEnd(bus, end, new TextEncoder().encode(canonicalJson(end)));
        this.#state = 'over';
      } catch (error) {
        this.#busFailed(error, 'its end is not published yet');
        await sleep(END_RETRY_MS, undefined, { signal: this.#left.signal }).catch(() => undefined);
      }
    }
    if (this.#state !== 'over') return;
    this.#logger.info({ fault: fault?.code }, 'run is over');
    await this.#deleteBuffer();
    await this.#deleteSnapshots(ledgers.keys());
  }

  /** Never rejects. */
  async #deleteSnapshots(algorithms: Iterable<string>): Promise<void> {
    const { stream, run } = this.run;
    for (const algorithm of algorithms)
      await this.#options.snapshots.delete({ stream, run, algorithm }).catch((error: unknown) => {
        this.#busFailed(error, `the snapshot of ${algorithm} is not deleted`);
      });
  }

  /** Never rejects. */
  async #deleteBuffer(): Promise<void> {
    const { bus, run } = this.#options;
    await deleteFrameBuffer(bus, run.state.frames).catch((error: unknown) => {
      this.#busFailed(error, 'its frame buffer is not deleted');
    });
  }

  #busFailed(error: unknown, what: string): void {
    const { stream, run, epoch } = this.run;
    this.#options.report(toFault(error, 'BUS_FAILED', `run ${run} of stream ${stream}: ${what}`), {
      stream,
      run,
      epoch,
    });
  }
}
