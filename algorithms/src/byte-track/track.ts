/** One object that is followed: where it is believed to be, and since when it has not been seen. Plain data, so that a snapshot is JSON. */

import type { Box } from '../detections.ts';
import { correct, type KalmanState, type Measurement, predict, startAt, withoutGrowth } from './kalman-filter.ts';

/** What a detector saw. */
export type Sight = { readonly box: Box; readonly score: number; readonly classId: number };

/**
 * `new`: seen once, and not believed yet. `tracked`: seen in the last step. `lost`: not seen since, and looked for.
 */
export type Track = {
  readonly state: 'new' | 'tracked' | 'lost';
  /** From 1, in the order in which objects were believed; 0 while it is new. */
  readonly id: number;
  readonly classId: number;
  readonly filter: KalmanState;
  /** Steps of the tracker at which it was seen first and last. */
  readonly firstStep: number;
  readonly lastStep: number;
};

const measurementOf = ([x1, y1, x2, y2]: Box): Measurement => [
  (x1 + x2) / 2,
  (y1 + y2) / 2,
  (x2 - x1) / (y2 - y1),
  y2 - y1,
];

export const startTrack = ({ box, classId }: Sight, step: number): Track => ({
  state: 'new',
  id: 0,
  classId,
  filter: startAt(measurementOf(box)),
  firstStep: step,
  lastStep: step,
});

/** One step on. */
export const predictTrack = (track: Track): Track => ({
  ...track,
  filter: predict(track.state === 'lost' ? withoutGrowth(track.filter) : track.filter),
});

/** Seen again, or for the second time: under `id` where it has none. */
export const seeTrack = (track: Track, { box }: Sight, step: number, id: number): Track => ({
  ...track,
  state: 'tracked',
  id: track.id === 0 ? id : track.id,
  filter: correct(track.filter, measurementOf(box)),
  lastStep: step,
});

/** Where it is believed to be. */
export function boxOf({ filter }: Track): Box {
  const [x, y, aspect, height] = filter;
  const halfWidth = (aspect.value * height.value) / 2;
  const halfHeight = height.value / 2;
  return [x.value - halfWidth, y.value - halfHeight, x.value + halfWidth, y.value + halfHeight];
}
