/** The lanes of one run, each from where RESULTS says that its algorithm has come to (EX-6). */

import type { Bus } from '@stream-infer/bus/bus';
import type { SamplePlan } from '@stream-infer/core/sample-plan';
import type { Progress } from '@stream-infer/core/schedule';
import { StreamSchedule } from '@stream-infer/core/stream-schedule';
import type { Dispatcher } from './dispatcher.ts';
import type { BufferedFrame } from './invocation-message.ts';
import { Lane, type LaneEvents, type WindowAnswer } from './lane.ts';
import type { LaneStatusReport } from './lane-status.ts';
import type { LatenessReport } from './lateness-report.ts';
import type { SchedulerMetrics } from './metrics.ts';
import type { PlayingRun } from './playing-run.ts';
import { ResultPublisher } from './result-publisher.ts';

export type RunSchedule = StreamSchedule<BufferedFrame, WindowAnswer>;

export type RunLanes = { readonly schedule: RunSchedule; readonly lanes: readonly Lane[] };

export type RunLanesOptions = {
  readonly bus: Bus;
  readonly run: PlayingRun;
  readonly plan: SamplePlan;
  readonly dispatcher: Dispatcher;
  readonly metrics: SchedulerMetrics;
  readonly lateness: LatenessReport;
  readonly status: LaneStatusReport;
  /** Gives up waiting for the bus. */
  readonly signal: AbortSignal;
  readonly events: Pick<LaneEvents, 'changed' | 'failed'>;
};

/** What a result's headers may take of a message. */
const HEADERS_BYTES = 1_024;

/** Undefined where the signal aborted first. */
export async function openLanes(options: RunLanesOptions): Promise<RunLanes | undefined> {
  const { bus, run, plan, dispatcher, metrics, lateness, status, signal, events } = options;
  const { stream, spec, state } = run;
  const publishers = new Map<string, ResultPublisher>();
  const progress = new Map<string, Progress>();
  for (const { name } of plan.algorithms) {
    const { mode } = spec;
    const place = { stream, run: run.run, algorithm: name };
    const publisher = new ResultPublisher({ bus, ...place, mode, signal, refused: metrics.resultRefused });
    const found = await publisher.resume();
    if (found === undefined) return undefined;
    publishers.set(name, publisher);
    progress.set(name, found);
  }
  const schedule: RunSchedule = new StreamSchedule({ plan, mode: spec.mode, live: state.source.live, progress });
  const lanes = schedule.schedules.flatMap((one) => {
    const { name } = one.algorithm;
    const publisher = publishers.get(name);
    if (publisher === undefined) return [];
    return new Lane({
      schedule: one,
      place: { stream, run: run.run, frames: state.frames, fps: plan.fps },
      mode: spec.mode,
      dispatcher,
      publisher,
      metrics: status.follow(one, metrics.observe(stream, one)),
      maxPayloadBytes: bus.maxPayloadBytes - HEADERS_BYTES,
      events: { ...events, late: (lateMs) => lateness.add(stream, name, lateMs) },
    });
  });
  return { schedule, lanes };
}
