import { describe, expect, test } from 'vitest';
import { FrozenPicture } from './frozen-picture.ts';

const picture = (value: number, bytes = 640 * 480 * 3): Uint8Array => new Uint8Array(bytes).fill(value);

/** What is told of pictures that come 100 ms apart. */
function told(pictures: readonly Uint8Array[], frozenAfterMs: number): (string | undefined)[] {
  const watch = new FrozenPicture(frozenAfterMs);
  return pictures.map((data, i) => watch.frame(data, 5_000 + i * 100));
}

describe('a picture', () => {
  test('that is identical for the set time is frozen, told once, and unfrozen with the first that differs', () => {
    const [a, b] = [picture(1), picture(2)];
    expect(told([b, a, a, a, a, a, b, b], 300)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      'frozen',
      undefined,
      'unfrozen',
      undefined,
    ]);
  });

  test('that changes before the time is up is not frozen, however often it comes back', () => {
    const [a, b] = [picture(1), picture(2)];
    expect(told([a, a, a, b, a, a, a, b], 300)).toEqual(new Array(8).fill(undefined));
  });

  test('that freezes anew is told anew', () => {
    const [a, b] = [picture(1), picture(2)];
    expect(told([a, a, b, b], 100)).toEqual([undefined, 'frozen', 'unfrozen', 'frozen']);
  });

  test('is compared by what it holds, not by the buffer that holds it', () => {
    expect(told([picture(1), picture(1)], 100)).toEqual([undefined, 'frozen']);
    const buffer = picture(1);
    const watch = new FrozenPicture(100);
    watch.frame(buffer, 0);
    expect(watch.frame(buffer.fill(2), 100)).toBeUndefined();
  });

  test('whose encoding has another length differs', () => {
    expect(told([picture(0, 1_000), picture(0, 1_001)], 100)).toEqual([undefined, undefined]);
  });
});

test.each([
  ['640×480', 640, 480],
  ['1280×720', 1280, 720],
  ['1920×1080', 1920, 1080],
])(
  'of %s, one changed square of 64 pixels is seen wherever it is, and a change of any one channel',
  (_, width, height) => {
    const still = picture(7, width * height * 3);
    const isSeen = (changed: Uint8Array): boolean => {
      const watch = new FrozenPicture(100);
      watch.frame(still, 0);
      return watch.frame(changed, 100) === undefined;
    };
    const missed: string[] = [];
    const step = Math.round(width / 6.5);
    for (let top = 0; top + 64 <= height; top += step)
      for (let left = 0; left + 64 <= width; left += step) {
        const changed = still.slice();
        for (let y = top; y < top + 64; y += 1) changed.fill(8, (y * width + left) * 3, (y * width + left + 64) * 3);
        if (!isSeen(changed)) missed.push(`${left},${top}`);
      }
    for (let channel = 0; channel < 3; channel += 1)
      if (!isSeen(still.map((value, i) => (i % 3 === channel ? 8 : value)))) missed.push(`channel ${channel}`);
    expect(missed).toEqual([]);
  },
);
