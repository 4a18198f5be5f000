/** The lanes of one run, each from where RESULTS says that its algorithm has come to (EX-6). */

import type { Bus } from '@stream-infer/bus/bus';
import type { HeldRun } from '@stream-infer/bus/registry';
import type { Snapshots } from '@stream-infer/bus/snapshots';
import { FrameAccount } from '@stream-infer/core/frame-account';
import type { AlgorithmTotals } from '@stream-infer/core/result-record';
import { type SamplePlan, snapshotEvery } from '@stream-infer/core/sample-plan';
import type { Progress } from '@stream-infer/core/schedule';
import { type Snapshot, StateTurns } from '@stream-infer/core/state-turns';
import { StreamSchedule } from '@stream-infer/core/stream-schedule';
import { takenOver } from '@stream-infer/core/taken-over';
import { specHash } from '@stream-infer/service-kit/spec-hash';
import { DeadLetterBox } from './dead-letter-box.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { BufferedFrame } from './invocation-message.ts';
import { Lane, type LaneEvents } from './lane.ts';
import type { WindowAnswer } from './lane-results.ts';
import type { LaneStatusReport } from './lane-status.ts';
import type { LatenessReport } from './lateness-report.ts';
import type { LoadReport } from './load-report.ts';
import type { SchedulerMetrics } from './metrics.ts';
import { type Outlet, replayOutlet, runOutlet } from './outlet.ts';
import type { PlayingRun } from './playing-run.ts';
import { ResultHold } from './result-hold.ts';
import { ResultPublisher, type Resumed } from './result-publisher.ts';
import { StateKeeper, type StateKeeperEvents } from './state-keeper.ts';
import { readUpstreamResults } from './upstream-results.ts';
import type { Carrier } from './work.ts';

export type RunSchedule = StreamSchedule<BufferedFrame, WindowAnswer>;

export type RunLanes = {
  readonly schedule: RunSchedule;
  readonly lanes: readonly Lane[];
  /** Of the epoch's frames. */
  readonly account: FrameAccount;
  /** Whether the run was ended by another scheduler, and what stood of it is gone. Rejects with the client's errors. */
  isForgotten(): Promise<boolean>;
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
  readonly load: LoadReport;
  /** Gives up waiting for the bus. */
  readonly signal: AbortSignal;
  readonly snapshots: Snapshots;
  readonly events: Omit<LaneEvents, 'late'> & Pick<StateKeeperEvents, 'notStored'>;
};

/** What a result's headers may take of a message. */
const HEADERS_BYTES = 1_024;

/** One algorithm's part of the run, before its lane is made: how far it has come, what it remembers, where its results go. */
type Track = {
  readonly progress: Progress;
  /** It has published results, and has memory. */
  readonly remembers: boolean;
  readonly snapshot: Snapshot | undefined;
  readonly outlet: Outlet;
};

/** Undefined where the signal aborted first. */
export async function openLanes(options: RunLanesOptions): Promise<RunLanes | undefined> {
  const { bus, run, plan, dispatcher, metrics, lateness, status, load, snapshots, signal, events } = options;
  const { stream, spec, state } = run;
  const { replay } = spec;
  const tracks = replay ? replayTracks(options) : await runTracks(options, (name) => oldestWanted(name));
  if (tracks === undefined || signal.aborted) return undefined;
  const account = openAccount(options, [...tracks.values()]);
  const schedule: RunSchedule = new StreamSchedule({
    plan,
    mode: spec.mode,
    live: state.source.live,
    progress: new Map([...tracks].map(([name, { progress }]) => [name, progress])),
    ...(replay && { only: replay.ns }),
    account,
  });
  const oldestWanted = (name: string): number =>
    Math.min(...schedule.after(name).map(({ oldestUnsettled }) => oldestUnsettled));
  // A replay invokes the algorithm as the run did: for the stream whose windows these are.
  const recordPlace = { stream: replay?.stream ?? stream, run: replay?.run ?? run.run, fps: plan.fps };
  const lanes = new Map<string, Lane>();
  for (const one of schedule.schedules) {
    const { name } = one.algorithm;
    const track = tracks.get(name);
    if (track === undefined) continue;
    const changed = (): void => {
      for (const { algorithm } of schedule.after(name)) lanes.get(algorithm.name)?.offer();
      events.changed();
    };
    const laneMetrics = metrics.observe(stream, one, spec.mode);
    const turns = new StateTurns<BufferedFrame, Carrier>({
      mode: spec.mode,
      retained: one.retained,
      snapshot: track.snapshot,
      hasRun: track.remembers,
      snapshotEvery: snapshotEvery(plan, one.algorithm),
    });
    const keeper = new StateKeeper({
      turns,
      snapshots,
      place: { stream, run: run.run, algorithm: name },
      publishedThrough: track.progress.answeredThrough,
      signal,
      events: { notStored: events.notStored, changed, replayed: laneMetrics.replayed, stored: laneMetrics.stored },
    });
    const intervalMs = (one.algorithm.intervalFrames * plan.fps.den * 1_000) / plan.fps.num;
    const lane = new Lane({
      schedule: one,
      state: keeper,
      place: { ...recordPlace, run: run.run, frames: state.frames },
      recordPlace,
      isReplay: replay !== undefined,
      mode: spec.mode,
      dispatcher,
      outlet: track.outlet,
      metrics: load.follow(one, { mode: spec.mode, intervalMs }, status.follow(one, laneMetrics)),
      intervalMs,
      maxPayloadBytes: bus.maxPayloadBytes - HEADERS_BYTES,
      events: { ...events, changed, late: (lateMs) => lateness.add(stream, name, lateMs) },
    });
    lanes.set(name, lane);
  }
  const isForgotten = async (): Promise<boolean> =>
    (await Promise.all([...tracks.values()].map(({ outlet }) => outlet.isForgotten()))).includes(true);
  return { schedule, lanes: [...lanes.values()], account, isForgotten };
}

/** The frames of this epoch, in the book of the stream. What a predecessor in another process has read of it is that one's. */
function openAccount(options: RunLanesOptions, tracks: readonly Track[]): FrameAccount {
  const { run, inherited, heldBefore, metrics } = options;
  const book = metrics.framesOf(run.stream);
  if (heldBefore) {
    book.takeOver(heldBefore.openFrames);
    book.settle({ fate: 'lost-with-process', reason: '' }, heldBefore.openFrames);
  }
  const isSameEpoch = heldBefore?.epoch === run.epoch;
  const throughN = Math.max(0, ...tracks.map(({ progress }) => progress.answeredThrough));
  const isKnown = inherited.size > 0 || heldBefore !== undefined || throughN === 0;
  return new FrameAccount({
    capacity: run.spec.mode === 'realtime' ? run.state.capacity : Number.POSITIVE_INFINITY,
    through: isSameEpoch ? (heldBefore.newest?.sequence ?? 0) : isKnown ? 0 : undefined,
    throughN: inherited.size > 0 ? 0 : throughN,
    entered: (count) => book.enter(count),
    settled: (fated, count) => book.settle(fated, count),
  });
}

async function runTracks(
  options: RunLanesOptions,
  oldestWanted: (name: string) => number,
): Promise<ReadonlyMap<string, Track> | undefined> {
  const { bus, run, token, plan, metrics, snapshots, signal } = options;
  const { stream, spec } = run;
  const { mode } = spec;
  const hash = specHash(spec);
  const refused = metrics.resultRefused;
  const publishers = new Map<string, { readonly publisher: ResultPublisher; readonly resumed: Resumed }>();
  // All at once: frames come meanwhile.
  const resuming = plan.algorithms.map(async ({ name }) => {
    const place = { stream, run: run.run, algorithm: name };
    const publisher = new ResultPublisher({ bus, ...place, mode, token, snapshots, signal, refused });
    const resumed = await publisher.resume();
    if (resumed) publishers.set(name, { publisher, resumed });
  });
  await Promise.all(resuming);
  if (publishers.size < resuming.length) return undefined;
  const tracks = new Map<string, Track>();
  for (const { name, definition } of plan.algorithms) {
    const opened = publishers.get(name);
    if (opened === undefined) continue;
    const { publisher, resumed } = opened;
    const { replayAfter, remembers, snapshot } = resumed;
    const { answeredThrough, totals } = progressOf(options, name, resumed);
    const downstream = plan.algorithms.filter(({ after }) => after?.includes(name));
    const hold = downstream.length > 0 ? new ResultHold(() => oldestWanted(name)) : undefined;
    const wantedAfter = Math.min(...downstream.map((one) => wantedBy(publishers.get(one.name)?.resumed)));
    const place = { stream, run: run.run, algorithm: name };
    const results = hold && (await readUpstreamResults({ bus, ...place, resumed, wantedAfter, signal, hold }));
    if (hold && results === undefined) return undefined;
    const progress = {
      answeredThrough,
      ...(replayAfter !== undefined && { replayAfter }),
      ...(totals && { totals }),
      ...(results && { results }),
    };
    const deadLetters = new DeadLetterBox({ bus, signal, refused });
    const outlet = runOutlet({ publisher, hold, deadLetters, definition, mode, specHash: hash });
    tracks.set(name, { progress, remembers, snapshot, outlet });
  }
  return tracks;
}

/** The n behind which an algorithm still wants what it comes after. */
const wantedBy = (progress: Progress | undefined): number => progress?.replayAfter ?? progress?.answeredThrough ?? 0;

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
function replayTracks({ bus, run, plan, metrics, signal }: RunLanesOptions): ReadonlyMap<string, Track> {
  const outlet = replayOutlet({ bus, replay: run.stream, signal, refused: metrics.resultRefused });
  const track = { progress: { answeredThrough: 0 }, remembers: false, snapshot: undefined, outlet };
  return new Map(plan.algorithms.map(({ name }) => [name, track]));
}

/** By algorithm: of those that the run had under an earlier spec too. */
export function runTotals(
  inherited: ReadonlyMap<string, AlgorithmTotals>,
  lanes: RunLanes | undefined,
): ReadonlyMap<string, AlgorithmTotals> {
  const current = lanes?.schedule.schedules.map(({ algorithm, ledger }) => [algorithm.name, ledger.totals] as const);
  return new Map([...inherited, ...(current ?? [])]);
}
