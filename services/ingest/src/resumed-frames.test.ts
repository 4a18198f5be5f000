import { expect, test } from 'vitest';
import { ResumedFrames } from './resumed-frames.ts';

function played(fromN: number, hasGaps: boolean, ns: readonly number[]): { published: number[]; repeated: number[] } {
  const repeated: number[] = [];
  const frames = new ResumedFrames<{ n: number }>(fromN, hasGaps, ({ n }) => repeated.push(n));
  const published = ns.flatMap((n) => frames.next({ n })).map(({ n }) => n);
  frames.end();
  return { published, repeated };
}

test('what is answered is not published again', () => {
  expect(played(4, false, [1, 2, 3, 4, 5])).toEqual({ published: [4, 5], repeated: [1, 2, 3] });
  expect(played(4, true, [1, 2, 3, 4, 5])).toEqual({ published: [4, 5], repeated: [1, 2, 3] });
  expect(played(0, true, [1, 2])).toEqual({ published: [1, 2], repeated: [] });
});

test('where the first slot is a gap, the frame before it stands in, and each frame has one fate', () => {
  expect(played(4, true, [1, 3, 5, 6])).toEqual({ published: [3, 5, 6], repeated: [1] });
  expect(played(4, false, [1, 3, 5])).toEqual({ published: [5], repeated: [1, 3] });
  expect(played(9, true, [1, 3])).toEqual({ published: [], repeated: [1, 3] });
});
