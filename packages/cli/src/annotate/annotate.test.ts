import type { Json } from '@stream-infer/core/json';
import type { ResultRecord } from '@stream-infer/core/result-record';
import { describe, expect, test } from 'vitest';
import { type Caption, placeCaptions } from './caption-placement.ts';
import { BLACK, classColour, textColour, WHITE } from './colour.ts';
import { drawDetections } from './detection-drawing.ts';
import { trackDetections } from './detection-track.ts';
import { readDetections } from './detections.ts';
import { drawText, fillRectangle, type Picture, strokeRectangle, textSize } from './drawing.ts';
import { GLYPH_HEIGHT, GLYPH_WIDTH, glyphsOf } from './font.ts';
import { drawOnFragments } from './movie-fragments.ts';

const picture = (width: number, height: number, stride = width * 3): Picture => ({
  data: new Uint8Array(stride * height),
  width,
  height,
  stride,
});

/** What is drawn, a letter a pixel. */
const shape = ({ data, width, height, stride }: Picture): string[] =>
  Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) => (data[y * stride + x * 3] === 0 ? '.' : '#')).join(''),
  );

const RED = [255, 9, 9] as const;

describe('the font', () => {
  test('has a glyph of its own for every printable ASCII character', () => {
    const all = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('');
    const glyphs = glyphsOf(all);
    expect(glyphs).toHaveLength(95);
    expect(new Set(glyphs.map((glyph) => glyph.join())).size).toBe(95);
    for (const glyph of glyphs) {
      expect(glyph).toHaveLength(GLYPH_HEIGHT);
      for (const row of glyph) expect(row).toBeLessThan(2 ** GLYPH_WIDTH);
    }
  });

  test('leaves accents out, and shows what it does not have as a question mark', () => {
    expect(glyphsOf('Zürich')).toEqual(glyphsOf('Zurich'));
    expect(glyphsOf('日\n')).toEqual(glyphsOf('??'));
  });
});

describe('drawing', () => {
  test('draws an outline within its rectangle, and nothing outside of the picture', () => {
    const canvas = picture(6, 4);
    strokeRectangle(canvas, { x: 1, y: 0, width: 4, height: 4 }, 1, RED);
    expect(shape(canvas)).toEqual(['.####.', '.#..#.', '.#..#.', '.####.']);
    const other = picture(4, 3);
    strokeRectangle(other, { x: -2, y: -2, width: 4, height: 4 }, 1, RED);
    fillRectangle(other, { x: 3, y: 2, width: 9, height: 9 }, RED);
    expect(shape(other)).toEqual(['.#..', '##..', '...#']);
  });

  test('a rectangle turned inside out is nothing', () => {
    const canvas = picture(3, 3);
    strokeRectangle(canvas, { x: 2, y: 2, width: -2, height: -2 }, 1, RED);
    expect(shape(canvas)).toEqual(['...', '...', '...']);
  });

  test('keeps to the rows of a picture whose rows are padded', () => {
    const canvas = picture(3, 2, 12);
    fillRectangle(canvas, { x: 2, y: 0, width: 5, height: 2 }, [1, 2, 3]);
    expect([...canvas.data]).toEqual([0, 0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 0]);
  });

  test('writes text as the font has it, each dot as large as the scale says', () => {
    const canvas = picture(5, 7);
    drawText(canvas, 'T', { x: 0, y: 0, scale: 1 }, WHITE);
    expect(shape(canvas)).toEqual(['#####', '..#..', '..#..', '..#..', '..#..', '..#..', '..#..']);
    expect(textSize('ab', 3)).toEqual({ width: 33, height: 21 });
    expect(textSize('', 3).width).toBe(0);
  });

  test('a caption stands above its box, within it at the top of the picture, and never beyond the right edge', () => {
    const detection = (box: [number, number, number, number]) => [
      { box, score: 0.5, label: 'cat', classId: 1, rank: 0 },
    ];
    const rowsOf = (box: [number, number, number, number]) => {
      const canvas = picture(100, 60);
      drawDetections(canvas, detection(box));
      return shape(canvas);
    };
    const above = rowsOf([2, 30, 20, 50]);
    expect(above[18]).not.toContain('#');
    expect(above[19]).toContain('#'.repeat(40));
    const within = rowsOf([2, 4, 20, 50]);
    expect(within[3]).not.toContain('#');
    expect(within[4]).toContain('#'.repeat(40));
    expect(rowsOf([90, 30, 99, 50])[19]?.endsWith('#'.repeat(40))).toBe(true);
  });
});

test('a caption tells the object that a tracker follows', () => {
  const width = (trackId: number | undefined): number => {
    const canvas = picture(200, 60);
    drawDetections(canvas, [{ box: [2, 30, 20, 50], score: undefined, label: 'cat', classId: 1, trackId, rank: 0 }]);
    return shape(canvas)[19]?.match(/#+/)?.[0].length ?? 0;
  };
  // A space, the sign and two digits more.
  expect(width(12) - width(undefined)).toBe(textSize('cat #12', 1).width - textSize('cat', 1).width);
  expect(width(12)).toBeGreaterThan(width(undefined));
});

test('classes differ in colour, stay as they are, and their captions can be read', () => {
  const colours = Array.from({ length: 30 }, (_, classId) => classColour(classId, '', 0).join());
  expect(new Set(colours).size).toBe(30);
  expect(classColour(undefined, 'cat', 0)).toEqual(classColour(undefined, 'cat', 0));
  expect(classColour(undefined, 'cat', 0)).not.toEqual(classColour(undefined, 'dog', 0));
  const first = [0, 1, 2, 3, 4].map((rank) => classColour(0, 'face', rank));
  for (const [at, one] of first.entries())
    for (const other of first.slice(at + 1))
      expect(Math.max(...one.map((channel, index) => Math.abs(channel - (other[index] ?? 0))))).toBeGreaterThan(60);
  expect(textColour([255, 255, 80])).toBe(BLACK);
  expect(textColour([48, 48, 255])).toBe(WHITE);
});

describe('detections', () => {
  test('are told by their shape', () => {
    expect(readDetections({ boxes: [[1, 2, 3, 4]], scores: [0.5], labels: ['a'], classIds: [7] })).toEqual([
      { box: [1, 2, 3, 4], score: 0.5, label: 'a', classId: 7 },
    ]);
    expect(readDetections({ boxes: [[1, 2, 3, 4]] })).toEqual([
      { box: [1, 2, 3, 4], score: undefined, label: '', classId: undefined },
    ]);
    expect(readDetections({ boxes: [] })).toEqual([]);
    for (const other of [undefined, null, 3, [], {}, { boxes: [[1, 2, 3]] }, { boxes: 'x' }])
      expect(readDetections(other)).toBeUndefined();
  });

  const record = (algorithm: string, sourceIndex: number, x?: number): ResultRecord =>
    ({
      algorithm,
      sourceIndex,
      ...(x !== undefined && { data: { boxes: [[x, 0, 0, 0]] } }),
    }) as unknown as ResultRecord;

  async function* of(...records: ResultRecord[]): AsyncGenerator<ResultRecord, void, void> {
    yield* records;
  }

  test("stand from their own frame until the next result of their algorithm, and no other's", async () => {
    const track = trackDetections(of(record('a', 1, 10), record('b', 2, 20), record('a', 4, 11), record('b', 5)), [
      { name: 'a' },
      { name: 'b' },
    ]);
    expect(await track.firstIndex()).toBe(1);
    const seen: number[][] = [];
    for (let index = 0; index < 7; index += 1)
      seen.push((await track.at(index)).map(({ box, rank }) => box[0] + rank / 10));
    expect(seen).toEqual([[], [10], [10, 20.1], [10, 20.1], [11, 20.1], [11], [11]]);
    expect(track.found).toBe(true);
  });

  test('of a tracker stand in the place of those that it follows, from its first result on', async () => {
    const tracks = { boxes: [[30, 0, 0, 0]], trackIds: [7] };
    const records = [
      ...[record('faces', 0, 10), record('cars', 0, 20), record('faces', 1, 11)],
      ...[{ ...record('tracks', 1), data: tracks }, record('faces', 2, 12)],
      { ...record('tracks', 2), data: { boxes: [], trackIds: [] } },
    ];
    const algorithms = [{ name: 'faces' }, { name: 'cars' }, { name: 'tracks', after: ['faces'] }];
    const track = trackDetections(of(...records), algorithms);
    const seen: string[][] = [];
    for (let index = 0; index < 3; index += 1)
      seen.push((await track.at(index)).map(({ box, trackId }) => `${box[0]} ${trackId ?? '-'}`));
    expect(seen).toEqual([['10 -', '20 -'], ['20 -', '30 7'], ['20 -']]);
  });

  test('are not found among results of another kind', async () => {
    const track = trackDetections(of({ ...record('a', 0), data: 7 }), []);
    expect(await track.at(5)).toEqual([]);
    expect(track.found).toBe(false);
    expect(await trackDetections(of(), []).firstIndex()).toBeUndefined();
  });
});

test('boxes that cannot be read are told once for each algorithm, with what they must be', async () => {
  async function* records(): AsyncGenerator<ResultRecord, void, void> {
    const of = (algorithm: string, key: string, boxes: Json): ResultRecord =>
      ({ algorithm, key, sourceIndex: 0, data: { boxes } }) as unknown as ResultRecord;
    yield* [
      of('a', '1', [[1, 2, 3, 4]]),
      of('a', '2', [
        [1, 2, 3, 4],
        [1, 2, 3],
      ]),
      of('a', '3', 7),
      of('b', '3', 'no'),
    ];
  }
  const track = trackDetections(records(), [{ name: 'a' }, { name: 'b' }]);
  await track.at(0);
  expect(track.problems).toEqual([
    'algorithm a, at 2 s: boxes[1] is [1,2,3]: it must be [x1, y1, x2, y2], numbers in pixels of the source picture: not drawn',
    expect.stringMatching(/^algorithm b, at 3 s: boxes is "no": it must be a list, .*: not drawn$/),
  ]);
});

describe('captions', () => {
  const picture = { width: 100, height: 100 };
  const caption = (x: number, y: number): Caption => ({ box: [x, y, x + 30, y + 30], width: 40, height: 10 });

  test('that would cover each other move, the first keeps its place, and all are within the picture', () => {
    const places = placeCaptions([caption(20, 40), caption(22, 41), caption(24, 42), caption(20, 40)], picture);
    expect(places[0]).toEqual({ x: 20, y: 30, width: 40, height: 10 });
    for (const [at, one] of places.entries()) {
      expect(one.y).toBeGreaterThanOrEqual(0);
      expect(one.y + one.height).toBeLessThanOrEqual(100);
      for (const other of places.slice(at + 1)) expect(Math.abs(one.y - other.y)).toBeGreaterThanOrEqual(10);
    }
  });

  test('that do not stay where they are', () => {
    expect(placeCaptions([caption(0, 40), caption(50, 40)], picture).map(({ y }) => y)).toEqual([30, 30]);
  });

  test('of a crowd that has no room left stand at their boxes', () => {
    const crowd = placeCaptions(
      Array.from({ length: 30 }, () => caption(20, 40)),
      picture,
    );
    expect(crowd.at(-1)).toEqual(crowd[0]);
  });
});

describe('a fragmented movie', () => {
  const box = (type: string, ...body: number[]): number[] => [0, 0, 0, 8 + body.length, ...Buffer.from(type), ...body];
  const movie = [
    box('ftyp', 1),
    box('moov'),
    box('moof', 9, 9),
    box('mdat', 1, 2, 3),
    box('moof', 8),
    box('mdat', 4),
  ].flat();

  async function* chunks(bytes: number[], size: number): AsyncGenerator<Uint8Array, void, void> {
    for (let at = 0; at < bytes.length; at += size) yield Uint8Array.from(bytes.slice(at, at + size));
  }

  async function through(bytes: number[], size: number, draw: (picture: Uint8Array) => void): Promise<number[]> {
    const out: number[] = [];
    for await (const part of drawOnFragments(chunks(bytes, size), async (one) => draw(one))) out.push(...part);
    return out;
  }

  test.each([1, 3, 7, 1000])(
    'hands its pictures out in order and passes all else on, in chunks of %i',
    async (size) => {
      const pictures: number[][] = [];
      const out = await through(movie, size, (one) => {
        pictures.push([...one]);
        one.fill(7);
      });
      expect(pictures).toEqual([[1, 2, 3], [4]]);
      expect(out).toEqual(
        [box('ftyp', 1), box('moov'), box('moof', 9, 9), box('mdat', 7, 7, 7), box('moof', 8), box('mdat', 7)].flat(),
      );
    },
  );

  test('that ends within a picture is refused', async () => {
    await expect(through(movie.slice(0, -1), 5, () => undefined)).rejects.toThrow(RangeError);
    await expect(through([0, 0, 0, 0, 1, 2, 3, 4], 5, () => undefined)).rejects.toThrow(RangeError);
  });
});
