/**
 * What the scheduler counts. Frames and invocations are counted by the ledgers, once (I1): the books gather them by stream, over all
 * runs and epochs here, and the metrics are the books as Prometheus asks for them, so that the hot path counts nothing twice (EX-11).
 */

import type { FrameFate, InvocationFate } from '@stream-infer/core/fate';
import type { FaultJson } from '@stream-infer/core/fault';
import { LedgerBook } from '@stream-infer/core/ledger-book';
import type { Mode } from '@stream-infer/core/stream-spec';
import { createMembersGauge } from '@stream-infer/service-kit/members-gauge';
import { StreamSeries } from '@stream-infer/service-kit/stream-series';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { type LaneBook, ledgerHolder, type Observed } from './lane-book.ts';

/** Fates that are told of each algorithm from the beginning. */
const ZERO_FATES: readonly InvocationFate[] = ['completed', 'dead-lettered', 'replaced'];

const BUCKETS_SECONDS = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30];

const deadLettered = ({ book }: LaneBook): number =>
  book.fates.reduce((sum, { fate, count }) => sum + (fate === 'dead-lettered' ? count : 0), 0);

export type SchedulerMetrics = ReturnType<typeof createSchedulerMetrics>;

export function createSchedulerMetrics(registry: Registry) {
  const registers = [registry];
  const frameBooks = new Map<string, LedgerBook<FrameFate>>();
  /** By stream and algorithm. */
  const lanes = new Map<string, LaneBook>();
  /** Of lanes that are forgotten. */
  let forgottenLetters = 0;
  const observed = new Map<Observed, { readonly stream: string; readonly algorithm: string }>();
  const series = new StreamSeries({
    registry,
    isHere: (stream) =>
      [...observed.values()].some((one) => one.stream === stream) ||
      // What does not add up stays to be seen.
      (frameBooks.get(stream)?.unaccounted ?? 0) !== 0 ||
      [...lanes.values()].some((lane) => lane.stream === stream && lane.book.unaccounted !== 0),
    forgotten: (stream) => {
      frameBooks.delete(stream);
      for (const [key, lane] of lanes) {
        if (lane.stream !== stream) continue;
        forgottenLetters += deadLettered(lane);
        lanes.delete(key);
      }
    },
  });
  new Counter({
    name: 'stream_infer_frames_received_total',
    help: 'Published frames that the scheduler knows of: read, or found missing.',
    labelNames: ['stream'],
    registers,
    collect() {
      this.reset();
      for (const [stream, book] of frameBooks) this.inc({ stream }, book.entered);
    },
  });
  new Counter({
    name: 'stream_infer_frames_total',
    help: 'Published frames by what became of them; see below.',
    labelNames: ['stream', 'fate', 'reason'],
    registers,
    collect() {
      this.reset();
      for (const [stream, { fates }] of frameBooks)
        for (const { fate, reason, count } of fates) this.inc({ stream, fate, ...(reason && { reason }) }, count);
    },
  });
  new Gauge({
    name: 'stream_infer_unaccounted_frames',
    help: 'Frames received less those with a fate and those still wanted: 0, unless the scheduler lost one without a trace.',
    labelNames: ['stream'],
    registers,
    collect() {
      for (const [stream, book] of frameBooks) this.set({ stream }, book.unaccounted);
    },
  });
  new Counter({
    name: 'stream_infer_invocations_triggered_total',
    help: 'Invocations that were due.',
    labelNames: ['stream', 'algorithm'],
    registers,
    collect() {
      this.reset();
      for (const { stream, algorithm, book } of updatedLanes()) this.inc({ stream, algorithm }, book.entered);
    },
  });
  new Counter({
    name: 'stream_infer_invocations_total',
    help: 'Invocations that are over, by what became of them; see below.',
    labelNames: ['stream', 'algorithm', 'fate', 'reason'],
    registers,
    collect() {
      this.reset();
      for (const { stream, algorithm, book } of updatedLanes()) {
        for (const fate of ZERO_FATES) this.inc({ stream, algorithm, fate }, 0);
        for (const { fate, reason, count } of book.fates)
          this.inc({ stream, algorithm, fate, ...(reason && { reason }) }, count);
      }
    },
  });
  new Counter({
    name: 'stream_infer_dead_lettered_invocations_total',
    help: 'Invocations that failed for good, of all streams since the scheduler began: at 0 before the first, however short its stream lives.',
    registers,
    collect() {
      this.reset();
      this.inc(updatedLanes().reduce((sum, lane) => sum + deadLettered(lane), forgottenLetters));
    },
  });
  new Gauge({
    name: 'stream_infer_unaccounted_invocations',
    help: 'Invocations that were due less those with a fate and the open ones: 0, unless one was lost without a trace.',
    labelNames: ['stream', 'algorithm'],
    registers,
    collect() {
      for (const { stream, algorithm, book } of updatedLanes()) this.set({ stream, algorithm }, book.unaccounted);
    },
  });
  const inFlight = new Gauge({
    name: 'stream_infer_invocations_in_flight',
    help: 'Invocations that are sent and not answered.',
    labelNames: ['stream', 'algorithm'],
    registers,
    collect() {
      for (const [one, labels] of observed) this.set(labels, one.underWay);
    },
  });
  const waiting = new Gauge({
    name: 'stream_infer_windows_waiting',
    help: 'Windows that are due and not sent.',
    labelNames: ['stream', 'algorithm'],
    registers,
    collect() {
      for (const [one, labels] of observed) this.set(labels, one.waiting);
    },
  });
  const published = new Counter({
    name: 'stream_infer_results_published_total',
    help: 'Results published, error results among them.',
    labelNames: ['stream', 'algorithm'],
    registers,
  });
  const latency = new Histogram({
    name: 'stream_infer_result_latency_seconds',
    help: 'From a window being due to its result being published.',
    labelNames: ['stream', 'algorithm'],
    buckets: BUCKETS_SECONDS,
    registers,
  });
  const lateness = new Histogram({
    name: 'stream_infer_result_lateness_seconds',
    help: 'Realtime: how much later than one interval after its frame a result came; 0 where it did not.',
    labelNames: ['stream', 'algorithm'],
    buckets: BUCKETS_SECONDS,
    registers,
  });
  const replayed = new Counter({
    name: 'stream_infer_windows_replayed_total',
    help: 'Windows that were run again, because a runner was lost with what its algorithm remembered.',
    labelNames: ['stream', 'algorithm'],
    registers,
  });
  const snapshots = new Counter({
    name: 'stream_infer_snapshots_stored_total',
    help: 'Snapshots of what algorithms remember that were stored.',
    labelNames: ['stream', 'algorithm'],
    registers,
  });
  const refused = new Counter({
    name: 'stream_infer_results_refused_total',
    help: 'Times that the bus refused a result or a dead letter, or left it unanswered, by kind.',
    labelNames: ['kind'],
    registers,
  });
  const broken = new Counter({
    name: 'stream_infer_runner_conversations_broken_total',
    help: 'Times that the conversation with a runner broke.',
    registers,
  });
  const fenced = new Counter({
    name: 'stream_infer_scheduler_fenced_total',
    help: 'Times that a result was refused because another scheduler has the stream.',
    registers,
  });
  let connectedRunners = (): number => 0;
  new Gauge({
    name: 'stream_infer_runners_connected',
    help: 'Runners that take work.',
    registers,
    collect() {
      this.set(connectedRunners());
    },
  });

  const updatedLanes = (): LaneBook[] => {
    for (const { book } of lanes.values()) book.update();
    return [...lanes.values()];
  };

  const laneOf = (stream: string, algorithm: string): LaneBook => {
    series.seen(stream);
    const key = `${stream}/${algorithm}`;
    const known = lanes.get(key);
    if (known) return known;
    const lane: LaneBook = { stream, algorithm, book: new LedgerBook(), dueAgain: 0, modes: new Set() };
    lane.book.follow({
      get open() {
        return lane.dueAgain;
      },
    });
    lanes.set(key, lane);
    return lane;
  };

  const followIn = ({ stream, algorithm, modes }: LaneBook, mode: Mode): void => {
    const labels = { stream, algorithm };
    if (modes.size === 0) {
      published.inc(labels, 0);
      latency.zero(labels);
    }
    if (mode === 'realtime' && !modes.has(mode)) lateness.zero(labels);
    modes.add(mode);
  };

  const framesOf = (stream: string): LedgerBook<FrameFate> => {
    series.seen(stream);
    const book = frameBooks.get(stream) ?? new LedgerBook<FrameFate>();
    frameBooks.set(stream, book);
    return book;
  };

  return {
    framesOf,
    /** Follows one algorithm on one stream, from what its ledger says now. */
    observe(stream: string, one: Observed, mode: Mode) {
      const algorithm = one.algorithm.name;
      const lane = laneOf(stream, algorithm);
      followIn(lane, mode);
      const stopFollowing = lane.book.follow(ledgerHolder(lane, one));
      observed.set(one, { stream, algorithm });
      const publishedHere = published.labels(stream, algorithm);
      const latencyHere = latency.labels(stream, algorithm);
      const latenessHere = lateness.labels(stream, algorithm);
      return {
        /** A result was published so long after its window was due. `lateMs` is null offline. */
        published(latencyMs: number, lateMs: number | null): void {
          publishedHere.inc();
          latencyHere.observe(latencyMs / 1_000);
          if (lateMs !== null) latenessHere.observe(lateMs / 1_000);
        },
        replayed: (): void => replayed.inc({ stream, algorithm }),
        stored: (): void => snapshots.inc({ stream, algorithm }),
        /** Books the last figures; what is no more is no longer shown. Idempotent. */
        close(): void {
          if (!observed.delete(one)) return;
          stopFollowing();
          lane.dueAgain += one.open;
          inFlight.remove(stream, algorithm);
          waiting.remove(stream, algorithm);
        },
      };
    },
    /** Invocations that a scheduler that died had open: it counted that they were due. */
    lostWithProcess(stream: string, algorithm: string, count: number): void {
      const { book } = laneOf(stream, algorithm);
      book.takeOver(count);
      book.settle({ fate: 'lost-with-process', reason: '' }, count);
    },
    observeRunners(connected: () => number): void {
      connectedRunners = connected;
    },
    observeMembers: createMembersGauge(registry),
    fenced: (): void => fenced.inc(),
    conversationBroke: (): void => broken.inc(),
    resultRefused: (kind: string): void => refused.inc({ kind }),
    /** What /debug/ledger shows, by stream. */
    ledgers(): Readonly<Record<string, unknown>> {
      const streams = Object.fromEntries(
        [...frameBooks].map(([stream, frames]) => [stream, { frames, algorithms: {} as Record<string, unknown> }]),
      );
      for (const { stream, algorithm, book } of updatedLanes()) {
        const shown = streams[stream];
        if (shown) shown.algorithms[algorithm] = book;
      }
      return streams;
    },
    /** Forgets nothing any more. Idempotent. */
    close: (): void => series.close(),
  };
}

export type LaneMetrics = Omit<ReturnType<SchedulerMetrics['observe']>, 'published'> & {
  /** With the error where the result is one. */
  published(latencyMs: number, lateMs: number | null, error?: FaultJson): void;
};
