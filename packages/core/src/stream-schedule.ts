/**
 * Everything that one stream's playing decides: told of each published frame in order, it triggers the windows of all algorithms,
 * sees what was lost, and says which frames nothing needs any more.
 */

import { Fault } from './fault.ts';
import type { FrameAccount } from './frame-account.ts';
import { FrameHistory, type PublishedFrame } from './frame-history.ts';
import type { SamplePlan } from './sample-plan.ts';
import { type Progress, Schedule } from './schedule.ts';
import type { Mode } from './stream-spec.ts';
import { upstreamFirst } from './upstream.ts';
import { chainsFilledFrom } from './window.ts';

export type StreamScheduleOptions = {
  readonly plan: SamplePlan;
  readonly mode: Mode;
  /** A live source may be joined late; its windows fill from the first frame that is seen. */
  readonly live: boolean;
  /** By algorithm, where something was published before. */
  readonly progress?: ReadonlyMap<string, Progress>;
  /** Where it is given, no other windows are due: the n of their newest frames. */
  readonly only?: readonly number[];
  /** Told what becomes of the frames. */
  readonly account?: FrameAccount;
};

/** `F`: what is known of a frame; `A`: of an answer. */
export class StreamSchedule<F extends PublishedFrame, A> {
  readonly schedules: readonly Schedule<F, A>[];
  readonly #byName: ReadonlyMap<string, Schedule<F, A>>;
  /** Each behind all that it comes after. */
  readonly #upstreamFirst: readonly Schedule<F, A>[];
  readonly #history: FrameHistory<F>;
  readonly #account: FrameAccount | undefined;
  readonly #mode: Mode;
  readonly #startsAtFirst: boolean;
  #lastN = 0;
  #seen = false;
  #ended = false;

  constructor({ plan, mode, live, progress, only, account }: StreamScheduleOptions) {
    const { algorithms, firstN, needed, sampling } = plan;
    this.#account = account;
    this.#mode = mode;
    this.#history = new FrameHistory(sampling);
    this.#startsAtFirst = live && needed.kind === 'all';
    const made = new Map<string, Schedule<F, A>>();
    const filled = chainsFilledFrom(algorithms, firstN);
    for (const algorithm of upstreamFirst(algorithms, 'plan')) {
      const schedule = new Schedule<F, A>({
        algorithm,
        mode,
        start: firstN,
        filledFrom: filled.get(algorithm.name) ?? firstN,
        progress: progress?.get(algorithm.name) ?? { answeredThrough: 0 },
        ...(only && { only }),
        ...(account && { onOver: ({ frames }, outcome) => account.windowOver(frames, outcome) }),
      });
      made.set(algorithm.name, schedule);
    }
    this.#byName = made;
    this.#upstreamFirst = [...made.values()];
    this.schedules = algorithms.flatMap(({ name }) => made.get(name) ?? []);
    for (const schedule of this.schedules) {
      const { name } = schedule.algorithm;
      const downstream = this.after(name);
      if (downstream.length === 0) continue;
      schedule.onSettled = (n, result) => {
        for (const one of downstream) one.upstream(name, n, result);
      };
    }
  }

  /** The schedules of what comes after the algorithm `name`. */
  after(name: string): readonly Schedule<F, A>[] {
    return this.schedules.filter(({ algorithm }) => algorithm.after?.includes(name));
  }

  /** Whether the source has ended and every window is settled. */
  get complete(): boolean {
    return this.#ended && this.schedules.every((schedule) => schedule.idle);
  }

  /**
   * A published frame came, captured `ageMs` ago. `previous` is the n of the frame published before it, 0 for an epoch's first.
   * Throws BUS_FAILED where frames come out of order.
   */
  frame(frame: F, previous: number, nowMs: number, ageMs: number): void {
    if (frame.n <= this.#lastN || previous >= frame.n)
      throw new Fault('BUS_FAILED', `frame ${frame.n} came after frame ${this.#lastN}: its buffer is not one epoch's`);
    // Offline, what an epoch's buffer does not hold at its start was released, or is not decoded again.
    const afterLoss = this.#mode === 'realtime' || this.#seen ? previous > this.#lastN : false;
    if (!this.#seen && this.#startsAtFirst) for (const schedule of this.schedules) schedule.due.startAt(frame.n);
    if (afterLoss) this.#lose(previous);
    else if (!this.#seen && previous > 0) for (const schedule of this.schedules) schedule.releasedThrough(previous);
    this.#history.push(frame, afterLoss);
    this.#seen = true;
    this.#lastN = frame.n;
    for (const schedule of this.#upstreamFirst) {
      schedule.frame(frame.n, this.#history, nowMs, ageMs);
      for (const name of schedule.algorithm.after ?? []) {
        const result = this.#byName.get(name)?.resultOf(frame.n);
        if (result !== 'awaited') schedule.upstream(name, frame.n, result);
      }
    }
  }

  /** Whether frames were lost between the last one and this, which follows `previous`. */
  hasGapBefore(previous: number): boolean {
    return this.#seen && previous > this.#lastN;
  }

  /** The source ended; `lastPublished` is the n of its last published frame. */
  end(lastPublished: number): void {
    if (lastPublished > this.#lastN) this.#lose(lastPublished);
    this.#ended = true;
    for (const schedule of this.schedules) schedule.end();
  }

  /** Drops what waits and has become stale. */
  expire(nowMs: number): void {
    for (const schedule of this.schedules) schedule.expire(nowMs);
  }

  /** Nothing more is sent or read. */
  stop(): void {
    this.#ended = true;
    for (const schedule of this.schedules) schedule.stop();
  }

  /** The sequence up to which no frame is needed any more, once for each advance. */
  release(): number | undefined {
    const neededFrom = Math.min(...this.schedules.map((schedule) => schedule.neededFrom(this.#lastN)));
    return this.#history.forgetBefore(neededFrom, (frame) => this.#account?.letGo(frame));
  }

  #lose(through: number): void {
    for (const schedule of this.schedules) schedule.lose(this.#lastN + 1, through);
  }
}
