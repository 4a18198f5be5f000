/**
 * Which detections stand on a frame: those of each algorithm's newest result up to it. Records are read as frames go by, so that a
 * long video needs no more memory than a short one.
 */

import type { ResultRecord } from '@stream-infer/core/result-record';
import type { StreamAlgorithm } from '@stream-infer/core/stream-spec';
import type { RankedDetection } from './detection-drawing.ts';
import { boxesProblem, type Detection, isTracked, readDetections } from './detections.ts';

/** As much of an algorithm of the stream as matters to what is drawn. */
export type DrawnAlgorithm = Pick<StreamAlgorithm, 'name' | 'after'>;

export type DetectionTrack = {
  /** Source number of the first frame that a result speaks of; undefined where there is no result. */
  firstIndex(): Promise<number | undefined>;
  /** Frames must be asked for in ascending order. */
  at(sourceIndex: number): Promise<readonly RankedDetection[]>;
  /** Whether any result so far was one of detections. */
  readonly found: boolean;
  /** The first result of each algorithm that has boxes and could not be read. */
  readonly problems: readonly string[];
  close(): Promise<void>;
};

/**
 * What a tracker says stands in the place of the detections that it comes after, which are the same objects.
 * @param records ascending by sourceIndex. @param algorithms of the stream.
 */
export function trackDetections(
  records: AsyncGenerator<ResultRecord, void, void>,
  algorithms: readonly DrawnAlgorithm[],
): DetectionTrack {
  const standing = new Map<string, readonly Detection[]>();
  let next: Promise<ResultRecord | undefined> | undefined;
  const problems = new Map<string, string>();
  /** Algorithms that a tracker stands for. */
  const followed = new Set<string>();
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
        const problem = detections ? undefined : boxesProblem(record.data);
        if (problem !== undefined && !problems.has(record.algorithm))
          problems.set(record.algorithm, `algorithm ${record.algorithm}, at ${record.key} s: ${problem}: not drawn`);
        // An error, or a result of another kind, is a result too: what stood before it is over.
        standing.set(record.algorithm, detections ?? []);
        if (detections && isTracked(record.data))
          for (const name of algorithms.find((one) => one.name === record.algorithm)?.after ?? []) followed.add(name);
      }
      return [...standing].flatMap(([algorithm, detections]) => {
        if (followed.has(algorithm)) return [];
        const rank = Math.max(
          0,
          algorithms.findIndex(({ name }) => name === algorithm),
        );
        return detections.map((detection) => ({ ...detection, rank }));
      });
    },
    get problems() {
      return [...problems.values()];
    },
    get found() {
      return found;
    },
    async close() {
      await records.return();
    },
  };
}
