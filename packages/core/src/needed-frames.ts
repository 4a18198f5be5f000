/**
 * Which played frames some algorithm can use (D3): only those are converted and published. A pure function of the schedule, so
 * that the ingest that selects and the scheduler that waits for them agree without talking.
 *
 * An algorithm is due at multiples of its interval and looks back from there in steps, so what it needs repeats with its
 * interval: a set of residues. One that comes after others is due at some of their slots, and looks back from there.
 */

import { leastCommonMultiple } from './rational.ts';
import type { Sampling } from './run.ts';

/** Residues of n that are needed: n is when (n mod modulus) lies within one of the ranges, both ends included. */
export type ResidueSet = { modulus: number; ranges: [number, number][] };

/** n is published when one of the sets has (n mod modulus) within one of its inclusive ranges; kind 'all': every played frame. */
export type Needed = { kind: 'all' } | { kind: 'residues'; sets: ResidueSet[] };

/** What decides which frames an algorithm can use. */
export type Look = { readonly intervalFrames: number; readonly frameCount: number; readonly frameStep: number };

/**
 * By presentation time any slot may turn out to be a gap, and a window that wants it takes the nearest older frame, whichever that
 * is: there, windows of more than one frame need every played frame.
 */
export function neededFrames(sampling: Sampling, looks: readonly Look[]): Needed {
  if (sampling === 'time' && looks.some((look) => look.frameCount > 1)) return { kind: 'all' };
  const sets = new Map<string, ResidueSet>();
  for (const look of looks) {
    // Without frames of its own it wants none but those of what it comes after.
    if (look.frameCount === 0) continue;
    const set = residues(look);
    const [first] = set.ranges;
    if (first && first[0] === 0 && first[1] === set.modulus - 1) return { kind: 'all' };
    sets.set(JSON.stringify(set), set);
  }
  return { kind: 'residues', sets: [...sets.values()] };
}

function residues({ intervalFrames, frameCount, frameStep }: Look): ResidueSet {
  const step = Math.max(frameStep, 1) % intervalFrames;
  const wanted = new Set<number>();
  let residue = 0;
  for (let taken = 0; taken < frameCount && !wanted.has(residue); taken += 1) {
    wanted.add(residue);
    residue = (residue - step + intervalFrames) % intervalFrames;
  }
  const ranges: [number, number][] = [];
  for (const value of [...wanted].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last && last[1] === value - 1) last[1] = value;
    else ranges.push([value, value]);
  }
  return { modulus: intervalFrames, ranges };
}

/** Whether the played frame n is published. */
export function isNeededBy(needed: Needed, n: number): boolean {
  if (needed.kind === 'all') return true;
  return needed.sets.some(({ modulus, ranges }) => {
    const residue = n % modulus;
    return ranges.some(([from, to]) => from <= residue && residue <= to);
  });
}

/** Beyond so many slots the first ones stand for all. */
const MOST_COUNTED = 2 ** 16;

/** Which part of the played frames is published. */
export function neededShare(needed: Needed): number {
  if (needed.kind === 'all') return 1;
  const period = needed.sets.reduce<number | undefined>(
    (all, { modulus }) => (all === undefined ? undefined : leastCommonMultiple(all, modulus)),
    1,
  );
  const slots = Math.min(period ?? MOST_COUNTED, MOST_COUNTED);
  let count = 0;
  for (let n = 1; n <= slots; n += 1) if (isNeededBy(needed, n)) count += 1;
  return count / slots;
}

/** The most needed frames in any `length` played frames in a row. Never too low; too high where the sets overlap. */
export function mostNeededIn(needed: Needed, length: number): number {
  if (needed.kind === 'all') return length;
  const sum = needed.sets.reduce((total, set) => total + mostOfSet(set, length), 0);
  return Math.min(length, sum);
}

function mostOfSet({ modulus, ranges }: ResidueSet, length: number): number {
  const each = ranges.reduce((total, [from, to]) => total + to - from + 1, 0);
  const whole = Math.floor(length / modulus) * each;
  const rest = length % modulus;
  if (rest === 0) return whole;
  // The fullest stretch begins where a range begins.
  let most = 0;
  for (const [start] of ranges) {
    let inside = 0;
    for (const [from, to] of ranges)
      for (const shift of [0, modulus])
        inside += Math.max(0, Math.min(to + shift, start + rest - 1) - Math.max(from + shift, start) + 1);
    most = Math.max(most, inside);
  }
  return whole + most;
}
