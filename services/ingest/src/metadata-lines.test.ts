import { expect, test } from 'vitest';
import { type FrameLine, metadataLines } from './metadata-lines.ts';

const TEXT =
  'frame:0    pts:33      pts_time:0.033\ni=1\nframe:1    pts:-67     pts_time:-0.067\ni=2\nframe:12   pts:NOPTS   pts_time:NOPTS\ni=1\n';
const FRAMES: FrameLine[] = [
  { index: 0, ptsTicks: 33, value: '1' },
  { index: 1, ptsTicks: -67, value: '2' },
  { index: 12, ptsTicks: undefined, value: '1' },
];

test.each([1, 2, 7, 1_000])('lines are read from pieces of %i characters', (length) => {
  const seen: FrameLine[] = [];
  const read = metadataLines((line) => seen.push(line));
  for (let at = 0; at < TEXT.length; at += length) read(TEXT.slice(at, at + length));
  expect(seen).toEqual(FRAMES);
});

test('a line that tells no time is refused, since every number after it would be wrong', () => {
  expect(() => metadataLines(() => undefined)('frame:0    pts:abc\n')).toThrow(RangeError);
});
