/** The lanes of one run, each from where RESULTS says that its algorithm has come to (EX-6). */

import type { Bus } from '@stream-infer/bus/bus';
import type { HeldRun } from '@stream-infer/bus/registry';
import { FrameAccount } from '@stream-infer/core/frame-account';
import type { AlgorithmTotals } from '@stream-infer/core/result-record';
import type { SamplePlan } from '@stream-infer/core/sample-plan';
import type { Progress } from '@stream-infer/core/schedule';
import { StreamSchedule } from '@stream-infer/core/stream-schedule';
import { takenOver } from '@stream-infer/core/taken-over';
import { specHash } from '@stream-infer/service-kit/spec-hash';
import { DeadLetterBox } from './dead-letter-box.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { BufferedFrame } from './invocation-message.ts';
import { Lane, type LaneEvents, type WindowAnswer } from './lane.ts';
import type { LaneStatusReport } from './lane-status.ts';
import type { LatenessReport } from './lateness-report.ts';
import type { SchedulerMetrics } from './metrics.ts';
import { type Outlet, replayOutlet, runOutlet } from './outlet.ts';
import type { PlayingRun } from './playing-run.ts';
import { ResultPublisher } from './result-publisher.ts';

export type RunSchedule = StreamSchedule<BufferedFrame, WindowAnswer>;

export type RunLanes = {
  readonly schedule: RunSchedule;
  readonly lanes: readonly Lane[];
  /** Of the epoch's frames. */
  readonly account: FrameAccount;
};

export type RunLanesOptions = {
  readonly bus: Bus;
  readonly run: PlayingRun;
  /** This scheduler's fencing token for the stream. */
  readonly token: number;
  readonly plan: SamplePlan;
  /** By algorithm: what this process knows of the ledger beyond what stands in RESULTS. */
  readonly inherited: ReadonlyMap<string, AlgorithmTotals>;
  /** Realtime: what a scheduler that died had of the run when it was last heard (EX-11). */
  readonly heldBefore: HeldRun | undefined;
  readonly dispatcher: Dispatcher;
  readonly metrics: SchedulerMetrics;
  readonly lateness: LatenessReport;
  readonly status: LaneStatusReport;
  /** Gives up waiting for the bus. */
  readonly signal: AbortSignal;
  readonly events: Omit<LaneEvents, 'late'>;
};

/** What a result's headers may take of a message. */
const HEADERS_BYTES = 1_024;

/** Undefined where the signal aborted first. */
export async function openLanes(options: RunLanesOptions): Promise<RunLanes | undefined> {
  const { bus, run, plan, dispatcher, metrics, lateness, status, signal, events } = options;
  const { stream, spec, state } = run;
  const { replay } = spec;
  const outlets = replay ? replayOutlets(options) : await runOutlets(options);
  if (signal.aborted) return undefined;
  const account = openAccount(options, [...outlets.values()]);
  const schedule: RunSchedule = new StreamSchedule({
    plan,
    mode: spec.mode,
    live: state.source.live,
    progress: new Map([...outlets].map(([name, { progress }]) => [name, progress])),
    ...(replay && { only: replay.ns }),
    account,
  });
  // A replay invokes the algorithm as the run did: for the stream whose windows these are.
  const recordPlace = { stream: replay?.stream ?? stream, run: replay?.run ?? run.run, fps: plan.fps };
  const lanes = schedule.schedules.flatMap((one) => {
    const { name } = one.algorithm;
    const outlet = outlets.get(name);
    if (outlet === undefined) return [];
    const laneMetrics = metrics.observe(stream, one);
    return new Lane({
      schedule: one,
      place: { ...recordPlace, run: run.run, frames: state.frames },
      recordPlace,
      mode: spec.mode,
      dispatcher,
      outlet: outlet.outlet,
      metrics: status.follow(one, laneMetrics),
      maxPayloadBytes: bus.maxPayloadBytes - HEADERS_BYTES,
      events: { ...events, late: (lateMs) => lateness.add(stream, name, lateMs) },
    });
  });
  return { schedule, lanes, account };
}

/** The frames of this epoch, in the book of the stream. What a predecessor in another process has read of it is that one's. */
function openAccount(options: RunLanesOptions, prepared: readonly Prepared[]): FrameAccount {
  const { run, inherited, heldBefore, metrics } = options;
  const book = metrics.framesOf(run.stream);
  if (heldBefore) {
    book.takeOver(heldBefore.openFrames);
    book.settle({ fate: 'lost-with-process', reason: '' }, heldBefore.openFrames);
  }
  const isSameEpoch = heldBefore?.epoch === run.epoch;
  const throughN = Math.max(0, ...prepared.map(({ progress }) => progress.answeredThrough));
  const isKnown = inherited.size > 0 || heldBefore !== undefined || throughN === 0;
  return new FrameAccount({
    capacity: run.spec.mode === 'realtime' ? run.state.capacity : Number.POSITIVE_INFINITY,
    through: isSameEpoch ? (heldBefore.newest?.sequence ?? 0) : isKnown ? 0 : undefined,
    throughN: inherited.size > 0 ? 0 : throughN,
    entered: (count) => book.enter(count),
    settled: (fated, count) => book.settle(fated, count),
  });
}

/** Where the results of one algorithm go, and how far they have come. */
type Prepared = { readonly progress: Progress; readonly outlet: Outlet };

async function runOutlets(options: RunLanesOptions): Promise<Map<string, Prepared>> {
  const { bus, run, token, plan, metrics, signal } = options;
  const { stream, spec } = run;
  const { mode } = spec;
  const hash = specHash(spec);
  const refused = metrics.resultRefused;
  const prepared = new Map<string, Prepared>();
  for (const { name, definition } of plan.algorithms) {
    const publisher = new ResultPublisher({ bus, stream, run: run.run, algorithm: name, mode, token, signal, refused });
    const found = await publisher.resume();
    if (found === undefined) break;
    const progress = progressOf(options, name, found);
    const deadLetters = new DeadLetterBox({ bus, signal, refused });
    const outlet = runOutlet({ publisher, deadLetters, definition, mode, specHash: hash });
    prepared.set(name, { progress, outlet });
  }
  return prepared;
}

function progressOf({ run, inherited, heldBefore, metrics }: RunLanesOptions, name: string, found: Progress): Progress {
  const known = inherited.get(name);
  if (known) return { answeredThrough: found.answeredThrough, totals: known };
  const heard = heldBefore?.algorithms?.[name];
  if (heard === undefined) return found;
  const { progress, lost } = takenOver(found, { ...heard, n: heldBefore?.newest?.n ?? 0 });
  metrics.lostWithProcess(run.stream, name, lost);
  return progress;
}

/** What a replay has published already is published once (EX-6): it begins anew. */
function replayOutlets({ bus, run, plan, metrics, signal }: RunLanesOptions): Map<string, Prepared> {
  const outlet = replayOutlet({ bus, replay: run.stream, signal, refused: metrics.resultRefused });
  return new Map(plan.algorithms.map(({ name }) => [name, { progress: { answeredThrough: 0 }, outlet }]));
}
