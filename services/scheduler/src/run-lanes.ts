/** The lanes of one run, each from where RESULTS says that its algorithm has come to (EX-6). */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus } from '@stream-infer/bus/bus';
import type { Snapshots } from '@stream-infer/bus/snapshots';
import type { ResultRecord } from '@stream-infer/core/result-record';
import { type SamplePlan, snapshotEvery } from '@stream-infer/core/sample-plan';
import type { Progress } from '@stream-infer/core/schedule';
import { type Snapshot, StateTurns } from '@stream-infer/core/state-turns';
import { StreamSchedule } from '@stream-infer/core/stream-schedule';
import type { Dispatcher } from './dispatcher.ts';
import type { BufferedFrame } from './invocation-message.ts';
import { Lane, type LaneEvents, type WindowAnswer } from './lane.ts';
import type { LatenessReport } from './lateness-report.ts';
import type { SchedulerMetrics } from './metrics.ts';
import type { PlayingRun } from './playing-run.ts';
import { ResultHold } from './result-hold.ts';
import { ResultPublisher, type Resumed } from './result-publisher.ts';
import { StateKeeper, type StateKeeperEvents } from './state-keeper.ts';
import { readUpstreamResults } from './upstream-results.ts';
import type { Carrier } from './work.ts';

export type RunSchedule = StreamSchedule<BufferedFrame, WindowAnswer>;

export type RunLanes = { readonly schedule: RunSchedule; readonly lanes: readonly Lane[] };

export type RunLanesOptions = {
  readonly bus: Bus;
  readonly run: PlayingRun;
  readonly plan: SamplePlan;
  readonly dispatcher: Dispatcher;
  readonly metrics: SchedulerMetrics;
  readonly lateness: LatenessReport;
  /** Gives up waiting for the bus. */
  readonly signal: AbortSignal;
  readonly snapshots: Snapshots;
  readonly events: Pick<LaneEvents, 'changed' | 'failed' | 'rewind'> & Pick<StateKeeperEvents, 'notStored'>;
};

/** What a result's headers may take of a message. */
const HEADERS_BYTES = 1_024;
const RETRY_MS = 250;

/** One algorithm's part of the run, before its lane is made. */
type Track = {
  readonly publisher: ResultPublisher;
  readonly progress: Progress;
  readonly hold: ResultHold | undefined;
  readonly remembered: Remembered;
};

/** What a predecessor left of an algorithm with memory. */
type Remembered = { readonly hasRun: boolean; readonly snapshot: Snapshot | undefined };

/** Undefined where the signal aborted first. */
export async function openLanes(options: RunLanesOptions): Promise<RunLanes | undefined> {
  const { bus, run, plan, dispatcher, metrics, lateness, snapshots, signal, events } = options;
  const { stream, spec, state } = run;
  const tracks = await openTracks(options, (name) => oldestWanted(name));
  if (tracks === undefined) return undefined;
  const progress = new Map([...tracks].map(([name, track]) => [name, track.progress]));
  const schedule: RunSchedule = new StreamSchedule({ plan, mode: spec.mode, live: state.source.live, progress });
  const oldestWanted = (name: string): number =>
    Math.min(...schedule.after(name).map(({ oldestUnsettled }) => oldestUnsettled));
  const lanes = new Map<string, Lane>();
  for (const one of schedule.schedules) {
    const { name } = one.algorithm;
    const track = tracks.get(name);
    if (track === undefined) continue;
    const changed = (): void => {
      for (const { algorithm } of schedule.after(name)) lanes.get(algorithm.name)?.offer();
      events.changed();
    };
    const observed = metrics.observe(stream, one);
    const { hasRun, snapshot } = track.remembered;
    const turns = new StateTurns<BufferedFrame, Carrier>({
      mode: spec.mode,
      retained: one.retained,
      snapshot,
      hasRun,
      snapshotEvery: snapshotEvery(plan, one.algorithm),
    });
    const keeper = new StateKeeper({
      turns,
      snapshots,
      place: { stream, run: run.run, algorithm: name },
      publishedThrough: track.progress.answeredThrough,
      signal,
      events: { notStored: events.notStored, changed, replayed: observed.replayed, stored: observed.stored },
    });
    const lane = new Lane({
      schedule: one,
      state: keeper,
      place: { stream, run: run.run, frames: state.frames, fps: plan.fps },
      mode: spec.mode,
      dispatcher,
      publisher: track.publisher,
      hold: track.hold,
      metrics: observed,
      maxPayloadBytes: bus.maxPayloadBytes - HEADERS_BYTES,
      events: { ...events, changed, late: (lateMs) => lateness.add(stream, name, lateMs) },
    });
    lanes.set(name, lane);
  }
  return { schedule, lanes: [...lanes.values()] };
}

async function openTracks(
  { bus, run, plan, metrics, snapshots, signal }: RunLanesOptions,
  oldestWanted: (name: string) => number,
): Promise<ReadonlyMap<string, Track> | undefined> {
  const { stream, spec } = run;
  const opened = new Map<string, Omit<Track, 'hold'> & { readonly progress: Resumed }>();
  for (const { name } of plan.algorithms) {
    const place = { stream, run: run.run, algorithm: name };
    const publisher = new ResultPublisher({ bus, ...place, mode: spec.mode, signal, refused: metrics.resultRefused });
    const resumed = await publisher.resume();
    if (resumed === undefined) return undefined;
    const remembered = await rememberedBy(snapshots, place, resumed, signal);
    if (remembered === undefined) return undefined;
    const isReplayed = remembered.hasRun && spec.mode === 'offline';
    const progress = { ...resumed, ...(isReplayed && { replayAfter: remembered.snapshot?.n ?? 0 }) };
    opened.set(name, { publisher, progress, remembered });
  }
  const tracks = new Map<string, Track>();
  for (const [name, { publisher, progress, remembered }] of opened) {
    const downstream = plan.algorithms.filter(({ after }) => after?.includes(name));
    if (downstream.length === 0) {
      tracks.set(name, { publisher, progress, remembered, hold: undefined });
      continue;
    }
    const hold = new ResultHold(() => oldestWanted(name));
    const wantedAfter = Math.min(...downstream.map((one) => wantedBy(opened.get(one.name)?.progress)));
    const place = { stream, run: run.run, algorithm: name };
    const results = await readUpstreamResults({ bus, ...place, resumed: progress, wantedAfter, signal, hold });
    if (results === undefined) return undefined;
    tracks.set(name, { publisher, progress: { ...progress, results }, remembered, hold });
  }
  return tracks;
}

/** The n behind which an algorithm still wants what it comes after. */
const wantedBy = (progress: Progress | undefined): number => progress?.replayAfter ?? progress?.answeredThrough ?? 0;

/** Undefined where the signal aborted first. */
async function rememberedBy(
  snapshots: Snapshots,
  place: Pick<ResultRecord, 'stream' | 'run' | 'algorithm'>,
  { remembers }: Resumed,
  signal: AbortSignal,
): Promise<Remembered | undefined> {
  if (!remembers) return { hasRun: false, snapshot: undefined };
  while (!signal.aborted) {
    try {
      return { hasRun: true, snapshot: await snapshots.get(place) };
    } catch {
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
  return undefined;
}
