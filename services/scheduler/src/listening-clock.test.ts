import { expect, test } from 'vitest';
import { ListeningClock } from './listening-clock.ts';

test('goes with the time while it is asked often, and barely on while nobody listens', () => {
  const clock = new ListeningClock(100, 5_000);
  for (const nowMs of [5_100, 5_200, 5_350]) clock.tick(nowMs);
  expect(clock.nowMs).toBe(350);
  clock.tick(65_350);
  expect(clock.nowMs).toBe(550);
});
