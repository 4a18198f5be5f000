import type { Detections, Json, TrackedDetections } from '@stream-infer/algorithm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runContext } from '../../test/harness/run-context.ts';
import { type Identities, measureIdentities } from '../../test/model/identity-measure.ts';
import { walk } from '../../test/model/walkers.ts';
import { associate } from './byte-track/association.ts';
import ByteTrack from './byte-track.ts';

function tracker(options: Readonly<Record<string, Json>> = {}): ByteTrack {
  const algorithm = new ByteTrack();
  algorithm.init(runContext(options, 'tracks'));
  return algorithm;
}

const look = (algorithm: ByteTrack, n: number, detections: Detections): TrackedDetections =>
  algorithm.run([], { ...runContext({}, 'tracks'), n, inputs: { faces: detections } });

const found = (...list: readonly (readonly [x: number, score?: number, classId?: number])[]): Detections => ({
  boxes: list.map(([x]) => [x, 100, x + 40, 180]),
  scores: list.map(([, score = 0.9]) => score),
  labels: list.map(([, , classId = 0]) => `class ${classId}`),
  classIds: list.map(([, , classId = 0]) => classId),
});

const identities = ({ boxes, trackIds }: TrackedDetections): Identities =>
  new Map(trackIds.map((id, at) => [id, boxes[at] as [number, number, number, number]]));

describe('on objects that cross and vanish for a second', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])('every object keeps its number (seed %i)', (seed) => {
    const { truth, detections, vanishing, crossing } = walk(seed);
    expect([vanishing >= 3, crossing >= 30]).toEqual([true, true]);
    const algorithm = tracker();
    const tracked = detections.map((one, i) => identities(look(algorithm, i + 1, one)));
    const { idf1, switches } = measureIdentities(truth, tracked);
    expect(switches).toBe(0);
    expect(idf1).toBeGreaterThanOrEqual(0.95);
  });

  test('an instance that is restored goes on exactly as the one that was snapshotted', () => {
    const { detections } = walk(11);
    const first = tracker();
    const all = detections.map((one, i) => {
      const result = look(first, i + 1, one);
      return { result, snapshot: i === 140 ? first.snapshot() : undefined };
    });
    const second = tracker();
    second.restore(all[140]?.snapshot ?? new Uint8Array());
    for (let i = 141; i < detections.length; i += 1)
      expect(look(second, i + 1, detections[i] as Detections)).toEqual(all[i]?.result);
  });
});

test('the measure tells a tracker that confuses objects from one that does not', () => {
  const picture = (a: number, b: number): Identities =>
    new Map([
      [a, [0, 0, 10, 10]],
      [b, [50, 0, 60, 10]],
    ]);
  const truth = [picture(1, 2), picture(1, 2), picture(1, 2), picture(1, 2)];
  expect(measureIdentities(truth, [picture(8, 9), picture(8, 9), picture(8, 9), picture(8, 9)])).toEqual({
    idf1: 1,
    switches: 0,
  });
  expect(measureIdentities(truth, [picture(8, 9), picture(8, 9), picture(9, 8), picture(9, 8)])).toEqual({
    idf1: 0.5,
    switches: 2,
  });
  expect(measureIdentities(truth, [new Map(), new Map(), picture(1, 2), picture(1, 2)]).idf1).toBeCloseTo(2 / 3);
});

describe('a detection', () => {
  test('with a low score keeps a track, and begins none', () => {
    const algorithm = tracker();
    expect(look(algorithm, 1, found([0], [200, 0.3])).trackIds).toEqual([1]);
    const second = look(algorithm, 2, found([2, 0.3], [200, 0.3]));
    expect(second).toEqual({ ...found([2, 0.3]), trackIds: [1] });
    expect(look(algorithm, 3, found([4, 0.05])).trackIds).toEqual([]);
  });

  test('that is new is numbered when it is seen a second time, but for those of the first picture', () => {
    const algorithm = tracker();
    expect(look(algorithm, 1, found([0])).trackIds).toEqual([1]);
    expect(look(algorithm, 2, found([0], [300])).trackIds).toEqual([1]);
    expect(look(algorithm, 3, found([0], [300])).trackIds).toEqual([1, 2]);
    // Seen once: no number is spent on it.
    expect(look(algorithm, 4, found([0], [300], [500])).trackIds).toEqual([1, 2]);
    expect(look(algorithm, 5, found([0], [300])).trackIds).toEqual([1, 2]);
    expect(look(algorithm, 6, found([0], [300], [500])).trackIds).toEqual([1, 2]);
    expect(look(algorithm, 7, found([0], [300], [500])).trackIds).toEqual([1, 2, 3]);
  });

  test('of another class is another object, though it is in the same place', () => {
    const algorithm = tracker();
    expect(look(algorithm, 1, found([0, 0.9, 1])).trackIds).toEqual([1]);
    expect(look(algorithm, 2, found([0, 0.9, 2])).trackIds).toEqual([]);
    expect(look(algorithm, 3, found([0, 0.9, 2], [1, 0.9, 1])).trackIds).toEqual([2, 1]);
  });

  test('smaller than minBoxArea is not looked at', () => {
    expect(look(tracker({ minBoxArea: 4_000 }), 1, found([0])).trackIds).toEqual([]);
  });
});

test('a track is looked for as long as trackBuffer says, and is another one after that', () => {
  for (const [gap, ids] of [
    [10, [1]],
    [11, []],
  ] as const) {
    const algorithm = tracker({ trackBuffer: 10 });
    for (let n = 1; n <= 5; n += 1) look(algorithm, n, found([0]));
    for (let n = 6; n < 6 + gap; n += 1) look(algorithm, n, found());
    expect(look(algorithm, 6 + gap, found([0])).trackIds).toEqual(ids);
  }
});

test('windows that were dropped count as pictures that passed: what moves is looked for where it is by then', () => {
  const algorithm = tracker();
  const at = (n: number): Detections => found([(n - 3) * 4]);
  for (let n = 3; n <= 60; n += 3) look(algorithm, n, at(n));
  // Nine windows are missing, in which it moves by three of its own widths.
  expect(look(algorithm, 90, at(90)).trackIds).toEqual([1]);
});

test('the assignment costs as little as any, with what is above the limit left alone', () => {
  const anyCosts = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })).chain(([rows, columns]) =>
    fc.array(
      fc.array(
        fc.integer({ min: 0, max: 100 }).map((cost) => cost / 100),
        { minLength: columns, maxLength: columns },
      ),
      {
        minLength: rows,
        maxLength: rows,
      },
    ),
  );
  /** Every way to pair or leave each row: the least sum, where what is left costs the limit. */
  const least = (costs: readonly (readonly number[])[], limit: number, taken: ReadonlySet<number>): number => {
    const [row, ...rest] = costs;
    if (row === undefined) return 0;
    const left = limit + least(rest, limit, taken);
    return row.reduce(
      (best, cost, column) =>
        taken.has(column) || cost >= limit
          ? best
          : Math.min(best, cost + least(rest, limit, new Set([...taken, column]))),
      left,
    );
  };
  fc.assert(
    fc.property(anyCosts, fc.constantFrom(0.3, 0.7, 1.5), (costs, limit) => {
      const columns = costs[0]?.length ?? 0;
      const { pairs, restRows, restColumns } = associate(costs, columns, limit);
      const sum = pairs.reduce((total, [row, column]) => total + (costs[row]?.[column] ?? Number.NaN), 0);
      expect(sum + limit * restRows.length).toBeCloseTo(least(costs, limit, new Set()), 9);
      expect([pairs.length + restRows.length, pairs.length + restColumns.length]).toEqual([costs.length, columns]);
    }),
  );
  expect(associate([], 2, 1)).toEqual({ pairs: [], restRows: [], restColumns: [0, 1] });
});

describe('is refused', () => {
  const refused = (inputs: Readonly<Record<string, Json>>): string => {
    try {
      tracker().run([], { ...runContext({}, 'tracks'), inputs });
    } catch (error) {
      return String(error);
    }
    return 'accepted';
  };

  test('what does not come after one detector', () => {
    expect(refused({})).toMatch(/ALGORITHM_FAILED: algorithm "tracks" comes after none: give it one detector as after/);
    expect(refused({ a: found(), b: found() })).toMatch(/comes after a, b/);
    expect(refused({ stats: { mean: 3 } })).toMatch(/algorithm "stats" has no boxes/);
    expect(refused({ faces: { boxes: [[1, 2, 3]] } })).toMatch(/has no boxes/);
    expect(refused({ faces: { boxes: [[1, 2, 3, 4]], scores: [] } })).toMatch(/has 1 boxes and other scores/);
    expect(refused({ faces: { boxes: [[1, 2, 30, 40]] } })).toBe('accepted');
  });

  test('a low threshold above the high one', () => {
    expect(() => tracker({ lowThreshold: 0.6 })).toThrow(/ALGORITHM_OPTIONS|lowThreshold/);
  });
});
