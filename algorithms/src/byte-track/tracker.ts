/**
 * BYTE, the published method of multi-object tracking (Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection
 * Box", 2022), written from its description: boxes with high scores are matched first, by overlap with where each track will be; then
 * those with low scores to the tracks that are left, since a low score is often an object that is half hidden; what is new needs a
 * high score, and a second sight.
 *
 * Deterministic: the same boxes in the same order give the same ids.
 */

import { intersectionOverUnion } from '../nms.ts';
import { type Association, associate } from './association.ts';
import { boxOf, predictTrack, type Sight, seeTrack, startTrack, type Track } from './track.ts';

export type TrackerOptions = {
  /** Boxes with this score or a higher one are matched first, and only these begin tracks. */
  readonly trackThreshold: number;
  /** Boxes below are not looked at. */
  readonly lowThreshold: number;
  /** Largest cost of a first match: 1 − overlap × score. */
  readonly matchThreshold: number;
  /** Steps for which a track that is not seen is looked for. */
  readonly trackBuffer: number;
};

/** All that a tracker knows, as JSON. */
export type TrackerState = { readonly step: number; readonly lastId: number; readonly tracks: readonly Track[] };

/** What begins a track has a score by so much above trackThreshold. */
const BEGIN_MARGIN = 0.1;
/** Largest cost of matching a low box, and of a new track's second sight. */
const LOW_MATCH = 0.5;
const NEW_MATCH = 0.7;
/** Two tracks that overlap by more than this are one. */
const SAME_OVERLAP = 0.85;

export class ByteTracker {
  readonly #options: TrackerOptions;
  #step = 0;
  #lastId = 0;
  #tracks: readonly Track[] = [];

  constructor(options: TrackerOptions) {
    this.#options = options;
  }

  get state(): TrackerState {
    return { step: this.#step, lastId: this.#lastId, tracks: this.#tracks };
  }

  restore({ step, lastId, tracks }: TrackerState): void {
    this.#step = step;
    this.#lastId = lastId;
    this.#tracks = tracks;
  }

  /**
   * The boxes of the next picture, `steps` of them after the last one.
   * @returns for each box the id of its track; undefined where it has none, or a new one.
   */
  update(sights: readonly Sight[], steps = 1): (number | undefined)[] {
    const { trackThreshold, lowThreshold, matchThreshold, trackBuffer } = this.#options;
    const isFirst = this.#step === 0;
    this.#step += steps;
    let tracks = [...this.#tracks];
    for (let step = 0; step < steps; step += 1) tracks = tracks.map(predictTrack);
    const seen = new Map<Sight, Track>();
    const kept: Track[] = [];
    const see = (track: Track, sight: Sight): void => {
      if (track.id === 0) this.#lastId += 1;
      const next = seeTrack(track, sight, this.#step, this.#lastId);
      seen.set(sight, next);
      kept.push(next);
    };
    /** Sees what matches; what is left of both. */
    const match = (
      candidates: readonly Track[],
      boxes: readonly Sight[],
      limit: number,
      weigh: (sight: Sight) => number,
    ): readonly [rest: Track[], restBoxes: Sight[]] => {
      const { pairs, restRows, restColumns } = matchOf(candidates, boxes, limit, weigh);
      for (const [row, column] of pairs) see(candidates[row] as Track, boxes[column] as Sight);
      return [restRows.map((row) => candidates[row] as Track), restColumns.map((column) => boxes[column] as Sight)];
    };
    const high = sights.filter(({ score }) => score >= trackThreshold);
    const low = sights.filter(({ score }) => score >= lowThreshold && score < trackThreshold);
    const believed = tracks.filter(({ state }) => state !== 'new');
    const fresh = tracks.filter(({ state }) => state === 'new');
    const [unmatched, restHigh] = match(believed, high, matchThreshold, ({ score }) => score);
    const unmatchedTracked = unmatched.filter(({ state }) => state === 'tracked');
    const [unseen] = match(unmatchedTracked, low, LOW_MATCH, () => 1);
    const [, unclaimed] = match(fresh, restHigh, NEW_MATCH, ({ score }) => score);
    const lost = [...unmatched.filter(({ state }) => state === 'lost'), ...unseen]
      .map((track): Track => ({ ...track, state: 'lost' }))
      .filter(({ lastStep }) => this.#step - lastStep <= trackBuffer);
    const begun = unclaimed.filter(({ score }) => score >= trackThreshold + BEGIN_MARGIN);
    for (const sight of begun) {
      const track = startTrack(sight, this.#step);
      // What is there from the beginning need not prove itself.
      if (isFirst) see(track, sight);
      else kept.push(track);
    }
    this.#tracks = withoutTwins(kept, lost).sort((first, second) => first.id - second.id);
    const alive = new Set(this.#tracks);
    return sights.map((sight) => {
      const track = seen.get(sight);
      return track && alive.has(track) ? track.id : undefined;
    });
  }
}

function matchOf(
  tracks: readonly Track[],
  sights: readonly Sight[],
  limit: number,
  weigh: (sight: Sight) => number,
): Association {
  const costs = tracks.map((track) => {
    const believed = boxOf(track);
    return sights.map((sight) =>
      track.classId === sight.classId ? 1 - intersectionOverUnion(believed, sight.box) * weigh(sight) : 1,
    );
  });
  return associate(costs, sights.length, limit);
}

/** Of a track that is seen and a lost one in the same place, the one that was seen for longer stays. */
function withoutTwins(seen: readonly Track[], lost: readonly Track[]): Track[] {
  const gone = new Set<Track>();
  for (const one of seen)
    for (const other of lost) {
      if (one.classId !== other.classId || intersectionOverUnion(boxOf(one), boxOf(other)) <= SAME_OVERLAP) continue;
      gone.add(one.lastStep - one.firstStep > other.lastStep - other.firstStep ? other : one);
    }
  return [...seen, ...lost].filter((track) => !gone.has(track));
}
