/**
 * `byte-track`: which box of this picture is which of the last one. Comes after any detector; the result is the detections of the
 * objects that are followed, each with a `trackId` that stays the same for as long as the object does.
 */
import type { Algorithm, AlgorithmContext, Frame, RunContext, TrackedDetections } from '@stream-infer/algorithm';
import { Fault } from '@stream-infer/core/fault';
import { ByteTracker, type TrackerState } from './byte-track/tracker.ts';
import { type ByteTrackOptions, byteTrackOptions } from './byte-track-options.ts';
import { parseOptions } from './options.ts';
import { upstreamDetections } from './upstream-detections.ts';

type Snapshot = { readonly tracker: TrackerState; readonly lastN: number; readonly stride: number };

export default class ByteTrack implements Algorithm {
  static readonly state = 'stream';
  #options: ByteTrackOptions | null = null;
  #tracker: ByteTracker | null = null;
  #lastN = 0;
  /** The least distance of two windows so far, in n: a step. */
  #stride = Number.POSITIVE_INFINITY;

  init(context: AlgorithmContext): void {
    this.#options = parseOptions(byteTrackOptions, context);
    this.#tracker = new ByteTracker(this.#options);
  }

  run(_frames: readonly Frame[], context: RunContext): TrackedDetections {
    if (this.#tracker === null || this.#options === null) throw new Fault('INTERNAL', 'byte-track: run before init');
    const { boxes, scores, labels, classIds } = upstreamDetections(context);
    const { minBoxArea } = this.#options;
    const looked = boxes.flatMap((box, at) => {
      const [x1, y1, x2, y2] = box;
      const isLarge = x2 > x1 && y2 > y1 && (x2 - x1) * (y2 - y1) >= minBoxArea;
      return isLarge ? [{ at, box, score: scores[at] as number, classId: classIds[at] as number }] : [];
    });
    const ids = this.#tracker.update(looked, this.#stepsTo(context.n));
    const followed = looked.flatMap(({ at }, i) => {
      const id = ids[i];
      return id === undefined ? [] : [{ at, id }];
    });
    const of = <T>(list: readonly T[]): T[] => followed.map(({ at }) => list[at] as T);
    return {
      boxes: of(boxes),
      scores: of(scores),
      labels: of(labels),
      classIds: of(classIds),
      trackIds: followed.map(({ id }) => id),
    };
  }

  snapshot(): Uint8Array {
    const tracker = this.#tracker?.state ?? { step: 0, lastId: 0, tracks: [] };
    const snapshot: Snapshot = {
      tracker,
      lastN: this.#lastN,
      stride: Number.isFinite(this.#stride) ? this.#stride : 0,
    };
    return new TextEncoder().encode(JSON.stringify(snapshot));
  }

  restore(bytes: Uint8Array): void {
    const { tracker, lastN, stride } = JSON.parse(new TextDecoder().decode(bytes)) as Snapshot;
    this.#tracker?.restore(tracker);
    this.#lastN = lastN;
    this.#stride = stride === 0 ? Number.POSITIVE_INFINITY : stride;
  }

  /** How many steps objects have moved since the last window: more than one where windows between were dropped or failed. */
  #stepsTo(n: number): number {
    const distance = n - this.#lastN;
    const isFirst = this.#lastN === 0;
    this.#lastN = n;
    if (isFirst) return 1;
    this.#stride = Math.min(this.#stride, distance);
    const most = (this.#options?.trackBuffer ?? 0) + 1;
    return Math.max(1, Math.min(most, Math.round(distance / this.#stride)));
  }
}
