/**
 * Objects that walk through a picture, cross each other and vanish for a second, and what a detector that is not perfect sees of them:
 * boxes that tremble, low scores where one is half hidden, nothing where it is hidden.
 */

import type { Detections } from '@stream-infer/algorithm';
import type { Identities } from './identity-measure.ts';

type Box = readonly [number, number, number, number];

type Walker = {
  readonly id: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly speed: number;
  /** First picture of the second in which it is not seen; Infinity where it always is. */
  readonly hiddenFrom: number;
};

/** Pictures before and after its hidden second in which a walker meets nobody: a crossing on top would hide it for longer. */
const ALONE = 14;

export type Walk = {
  /** Boxes of those that can be seen. */
  readonly truth: readonly Identities[];
  readonly detections: readonly Detections[];
  /** How many walkers vanish for a second, and in how many pictures one is half hidden by another. */
  readonly vanishing: number;
  readonly crossing: number;
};

const WALK = { width: 640, height: 360, fps: 30, pictures: 300 } as const;

function random(seed: number): () => number {
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** The same seed, the same walk. Nobody is hidden for more than a second at a time: several crossings in a row are walked anew. */
export function walk(seed: number): Walk {
  const next = random(seed);
  for (;;) {
    const walked = walkOnce(next);
    if (longestUnseen(walked.truth) <= WALK.fps) return walked;
  }
}

/** The most pictures in a row between two in which the same one is seen. */
function longestUnseen(truth: readonly Identities[]): number {
  const last = new Map<number, number>();
  let longest = 0;
  truth.forEach((seen, at) => {
    for (const id of seen.keys()) {
      longest = Math.max(longest, at - (last.get(id) ?? at) - 1);
      last.set(id, at);
    }
  });
  return longest;
}

function walkOnce(next: () => number): Walk {
  const between = (low: number, high: number): number => low + next() * (high - low);
  // They come from both sides in lanes that overlap with the next, so that those from the left meet those from the right.
  const walking = Array.from({ length: 6 }, (_, i): Walker => {
    const speed = between(1.2, 2.4) * (i % 2 === 0 ? 1 : -1);
    const height = between(90, 105);
    return {
      id: i + 1,
      x: i % 2 === 0 ? between(0, 60) + 40 * i : WALK.width - between(60, 120) - 40 * i,
      y: 10 + 45 * i + between(0, 10),
      width: height * between(0.4, 0.5),
      height,
      speed,
      hiddenFrom: Number.POSITIVE_INFINITY,
    };
  });
  const walkers = walking.map((walker): Walker => {
    const moments = momentsAlone(walker, walking);
    return { ...walker, hiddenFrom: moments[Math.floor(next() * moments.length)] ?? Number.POSITIVE_INFINITY };
  });
  const pictures = Array.from({ length: WALK.pictures }, (_, at) => picture(walkers, at, next));
  return {
    truth: pictures.map(({ seen }) => seen),
    detections: pictures.map(({ detections }) => detections),
    vanishing: walkers.filter(({ hiddenFrom }) => Number.isFinite(hiddenFrom)).length,
    crossing: pictures.filter(({ detections }) => detections.scores.some((score) => score < 0.5)).length,
  };
}

const boxAt = ({ x, y, width, height, speed }: Walker, at: number): Box => [
  x + speed * at,
  y,
  x + speed * at + width,
  y + height,
];

/** Where its hidden second may begin. */
function momentsAlone(walker: Walker, all: readonly Walker[]): number[] {
  const isAlone = (at: number): boolean =>
    all.every((other) => other === walker || covered(boxAt(walker, at), boxAt(other, at)) < 0.2);
  const alone = Array.from({ length: WALK.pictures }, (_, at) => isAlone(at));
  return alone.flatMap((_, at) => {
    const stretch = alone.slice(Math.max(at - ALONE, 0), at + WALK.fps + ALONE);
    return at >= WALK.fps && stretch.length === WALK.fps + 2 * ALONE && stretch.every(Boolean) ? [at] : [];
  });
}

function picture(walkers: readonly Walker[], at: number, next: () => number) {
  const seen = new Map<number, Box>();
  const found: { box: Box; score: number }[] = [];
  for (const walker of walkers) {
    const box = boxAt(walker, at);
    if (box[0] < 0 || box[2] > WALK.width) continue;
    if (at >= walker.hiddenFrom && at < walker.hiddenFrom + WALK.fps) continue;
    // Who walks further down is in front.
    const hidden = Math.max(
      0,
      ...walkers.filter(({ id }) => id > walker.id).map((other) => covered(box, boxAt(other, at))),
    );
    if (hidden > 0.5) continue;
    seen.set(walker.id, box);
    const tremble = (): number => (next() - 0.5) * 3;
    const score = hidden > 0.25 ? 0.2 + next() * 0.25 : 0.75 + next() * 0.25;
    found.push({ box: [box[0] + tremble(), box[1] + tremble(), box[2] + tremble(), box[3] + tremble()], score });
  }
  found.sort((first, second) => second.score - first.score);
  const detections: Detections = {
    boxes: found.map(({ box }) => box),
    scores: found.map(({ score }) => score),
    labels: found.map(() => 'walker'),
    classIds: found.map(() => 0),
  };
  return { seen, detections };
}

/** The share of a box that another one covers. */
function covered(box: Box, by: Box): number {
  const width = Math.max(0, Math.min(box[2], by[2]) - Math.max(box[0], by[0]));
  const height = Math.max(0, Math.min(box[3], by[3]) - Math.max(box[1], by[1]));
  return (width * height) / ((box[2] - box[0]) * (box[3] - box[1]));
}
