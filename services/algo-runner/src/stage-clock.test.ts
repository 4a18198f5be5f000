import type { Stage } from '@stream-infer/algorithm';
import { expect, test } from 'vitest';
import { StageClock } from './stage-clock.ts';

test('stages add up until the next batch; what is no stage or no duration is left out', () => {
  const clock = new StageClock();
  clock.add('infer', 2);
  clock.add('infer', 0.5);
  clock.add('preprocess', 1);
  clock.add('sleep' as Stage, 1);
  for (const none of [Number.NaN, -1, Number.POSITIVE_INFINITY]) clock.add('postprocess', none);
  const { times } = clock;
  expect(times).toEqual({ infer: 2_500, preprocess: 1_000 });
  clock.reset();
  expect([clock.times, times.infer]).toEqual([{}, 2_500]);
});
