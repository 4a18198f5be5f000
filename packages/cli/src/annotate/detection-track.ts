/**
 * Which detections stand on a frame: those of each algorithm's newest result up to it. Records are read as frames go by, so that a
 * long video needs no more memory than a short one.
 */

import type { ResultRecord } from '@stream-infer/core/result-record';
import { type Detection, readDetections } from './detections.ts';

export type DetectionTrack = {
  /** Source number of the first frame that a result speaks of; undefined where there is no result. */
  firstIndex(): Promise<number | undefined>;
  /** Frames must be asked for in ascending order. */
  at(sourceIndex: number): Promise<readonly Detection[]>;
  /** Whether any result so far was one of detections. */
  readonly found: boolean;
  close(): Promise<void>;
};

/** @param records ascending by sourceIndex. */
export function trackDetections(records: AsyncGenerator<ResultRecord, void, void>): DetectionTrack {
  const standing = new Map<string, readonly Detection[]>();
  let next: Promise<ResultRecord | undefined> | undefined;
  let found = false;
  const peek = (): Promise<ResultRecord | undefined> => {
    next ??= records.next().then(({ value }) => value ?? undefined);
    return next;
  };
  return {
    firstIndex: async () => (await peek())?.sourceIndex,
    async at(sourceIndex) {
      for (let record = await peek(); record && record.sourceIndex <= sourceIndex; record = await peek()) {
        next = undefined;
        const detections = readDetections(record.data);
        found ||= detections !== undefined;
        // An error, or a result of another kind, is a result too: what stood before it is over.
        standing.set(record.algorithm, detections ?? []);
      }
      return [...standing.values()].flat();
    },
    get found() {
      return found;
    },
    async close() {
      await records.return();
    },
  };
}
