/**
 * What the scheduler counts. Invocations are counted by the ledgers, once (I1): their figures are copied here when Prometheus asks
 * and when a run ends, so that metrics show the ledger and the hot path counts nothing twice.
 */

import type { Ledger } from '@stream-infer/core/ledger';
import type { AlgorithmTotals } from '@stream-infer/core/result-record';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** What metrics read of a schedule. */
export type Observed = {
  readonly algorithm: { readonly name: string };
  readonly ledger: Ledger;
  readonly waiting: number;
  readonly underWay: number;
};

const keyOf = ({ stream, algorithm }: { stream: string; algorithm: string }): string => `${stream}/${algorithm}`;

type Copied = { readonly stream: string; triggered: number; totals: AlgorithmTotals };

const BUCKETS_SECONDS = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30];

export type SchedulerMetrics = ReturnType<typeof createSchedulerMetrics>;

export function createSchedulerMetrics(registry: Registry) {
  const registers = [registry];
  const observed = new Map<Observed, Copied>();
  /** Windows that were counted as due and are due once more, in an epoch to come: by stream and algorithm. */
  const dueAgain = new Map<string, number>();
  let connectedRunners = (): number => 0;
  const collect = (): void => {
    for (const one of observed.keys()) copy(one);
    runners.set(connectedRunners());
  };
  const triggered = new Counter({
    name: 'stream_infer_invocations_triggered_total',
    help: 'Invocations that were due.',
    labelNames: ['stream', 'algorithm'],
    registers,
    collect,
  });
  const invocations = new Counter({
    name: 'stream_infer_invocations_total',
    help: 'Invocations that are over, by outcome: completed, failed or dropped.',
    labelNames: ['stream', 'algorithm', 'outcome'],
    registers,
    collect,
  });
  const dropped = new Counter({
    name: 'stream_infer_invocations_dropped_total',
    help: 'Invocations that were due and have no result, by reason: replaced, stale, frame-lost, frame-gone, results-full or stopped.',
    labelNames: ['stream', 'algorithm', 'reason'],
    registers,
    collect,
  });
  const inFlight = new Gauge({
    name: 'stream_infer_invocations_in_flight',
    help: 'Invocations that are sent and not answered.',
    labelNames: ['stream', 'algorithm'],
    registers,
    collect,
  });
  const waiting = new Gauge({
    name: 'stream_infer_windows_waiting',
    help: 'Windows that are due and not sent.',
    labelNames: ['stream', 'algorithm'],
    registers,
    collect,
  });
  const published = new Counter({
    name: 'stream_infer_results_published_total',
    help: 'Results published, error results among them.',
    labelNames: ['stream', 'algorithm'],
    registers,
  });
  const deadLettered = new Counter({
    name: 'stream_infer_invocations_dead_lettered_total',
    help: 'Invocations that failed for good; each has a dead letter.',
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
  const runners = new Gauge({
    name: 'stream_infer_runners_connected',
    help: 'Runners that take work.',
    registers,
    collect,
  });

  /** Adds what the ledger counted since the last copy. */
  const copy = (one: Observed): void => {
    const before = observed.get(one);
    if (before === undefined) return;
    const { stream } = before;
    const labels = { stream, algorithm: one.algorithm.name };
    const { totals } = one.ledger;
    const due = one.ledger.triggered - before.triggered;
    const key = keyOf(labels);
    const again = Math.min(due, dueAgain.get(key) ?? 0);
    if (again > 0) dueAgain.set(key, (dueAgain.get(key) ?? 0) - again);
    triggered.inc(labels, due - again);
    invocations.inc({ ...labels, outcome: 'completed' }, totals.completed - before.totals.completed);
    invocations.inc({ ...labels, outcome: 'failed' }, totals.failed - before.totals.failed);
    for (const [reason, count] of Object.entries(totals.dropped)) {
      const since = count - (before.totals.dropped[reason] ?? 0);
      invocations.inc({ ...labels, outcome: 'dropped' }, since);
      dropped.inc({ ...labels, reason }, since);
    }
    inFlight.set(labels, one.underWay);
    waiting.set(labels, one.waiting);
    observed.set(one, { stream, triggered: one.ledger.triggered, totals });
  };

  return {
    /** Follows one algorithm on one stream, from what its ledger says now. */
    observe(stream: string, one: Observed) {
      const algorithm = one.algorithm.name;
      observed.set(one, { stream, triggered: one.ledger.triggered, totals: one.ledger.totals });
      const publishedHere = published.labels(stream, algorithm);
      const deadLetteredHere = deadLettered.labels(stream, algorithm);
      const latencyHere = latency.labels(stream, algorithm);
      const latenessHere = lateness.labels(stream, algorithm);
      return {
        /** A result was published so long after its window was due. `lateMs` is null offline. */
        published(latencyMs: number, lateMs: number | null): void {
          publishedHere.inc();
          latencyHere.observe(latencyMs / 1_000);
          if (lateMs !== null) latenessHere.observe(lateMs / 1_000);
        },
        deadLettered: (): void => deadLetteredHere.inc(),
        replayed: (): void => replayed.inc({ stream, algorithm }),
        stored: (): void => snapshots.inc({ stream, algorithm }),
        /** Copies the last figures; what is no more is no longer shown. */
        close(): void {
          copy(one);
          observed.delete(one);
          const key = keyOf({ stream, algorithm });
          if (one.ledger.open > 0) dueAgain.set(key, (dueAgain.get(key) ?? 0) + one.ledger.open);
          inFlight.remove(stream, algorithm);
          waiting.remove(stream, algorithm);
        },
      };
    },
    observeRunners(connected: () => number): void {
      connectedRunners = connected;
    },
    fenced: (): void => fenced.inc(),
    conversationBroke: (): void => broken.inc(),
    resultRefused: (kind: string): void => refused.inc({ kind }),
  };
}

export type LaneMetrics = ReturnType<SchedulerMetrics['observe']>;
