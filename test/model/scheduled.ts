/** A schedule of one algorithm that is due at every frame, with what a test does to it all the time. */

import { FrameHistory, type PublishedFrame } from '@stream-infer/core/frame-history';
import { Schedule, type Trigger } from '@stream-infer/core/schedule';
import type { Mode } from '@stream-infer/core/stream-spec';

export function setUp(mode: Mode, maxInFlight: number, maxStalenessMs = 1_000, only?: readonly number[]) {
  const history = new FrameHistory<PublishedFrame>('index');
  const schedule = new Schedule<PublishedFrame, number>({
    algorithm: {
      name: 'a',
      definition: 'a',
      frameCount: 1,
      frameStep: 0,
      intervalFrames: 1,
      span: 1,
      timeoutMs: 1_000,
      maxInFlight,
      maxAttempts: 3,
      maxStalenessMs,
      heldMs: maxStalenessMs,
    },
    mode,
    start: 1,
    filledFrom: 1,
    progress: { answeredThrough: 0 },
    ...(only && { only }),
  });
  let n = 0;
  return {
    schedule,
    frame: (nowMs: number, ageMs = 0) => {
      n += 1;
      history.push({ n, sequence: n }, false);
      schedule.frame(n, history, nowMs, ageMs);
    },
    take: (nowMs: number): Trigger<PublishedFrame> => {
      const trigger = schedule.take(nowMs);
      if (trigger === undefined) throw new Error('nothing to take');
      return trigger;
    },
  };
}
