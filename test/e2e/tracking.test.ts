/**
 * From pixels to identities: a drawn clip in which squares cross each other and one passes behind a pillar for a second, a detector
 * that reads its pixels, and byte-track behind it, through the whole system.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TrackedDetections } from '@stream-infer/algorithm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ClipFolder, clipFolder } from '../harness/clips.ts';
import { streamInfer } from '../harness/command.ts';
import { type Identities, measureIdentities } from '../model/identity-measure.ts';

const SIZE = { width: 24, height: 48 } as const;
const PICTURE = { width: 320, height: 180, fps: 30, seconds: 3.4 } as const;
const SPEED = 80;
/** Each has a grey of its own; who comes later in the list is in front. */
const OBJECTS = [
  { id: 1, grey: 70, x: 10, y: 20, direction: 1 },
  { id: 2, grey: 110, x: PICTURE.width - 10 - SIZE.width, y: 34, direction: -1 },
  { id: 3, grey: 160, x: 10, y: 112, direction: 1 },
] as const;
/** As wide as hides an object for 0.9 s, from its first pixel behind it to its last. */
const PILLAR = { x: 136, y: 100, width: 48, height: 72 } as const;

const xAt = ({ x, direction }: (typeof OBJECTS)[number], seconds: number): number => x + direction * SPEED * seconds;

/** Finds each grey; what is partly hidden it does not report. */
const DETECTOR = `
const GREYS = ${JSON.stringify(OBJECTS.map(({ grey }) => grey))};
export default class Squares {
  run(frames) {
    const { data, width } = frames.at(-1);
    const found = GREYS.map(() => ({ count: 0, x1: Infinity, y1: Infinity, x2: 0, y2: 0 }));
    data.forEach((value, at) => {
      const one = found[GREYS.findIndex((grey) => Math.abs(value - grey) <= 8)];
      if (!one) return;
      const x = at % width;
      const y = (at - x) / width;
      one.count += 1;
      Object.assign(one, { x1: Math.min(one.x1, x), y1: Math.min(one.y1, y), x2: Math.max(one.x2, x + 1), y2: Math.max(one.y2, y + 1) });
    });
    const whole = found.filter(({ count }) => count >= ${0.95 * SIZE.width * SIZE.height});
    return {
      boxes: whole.map(({ x1, y1, x2, y2 }) => [x1, y1, x2, y2]),
      scores: whole.map(() => 0.9),
      labels: whole.map(() => 'square'),
      classIds: whole.map(() => 0),
    };
  }
}`;

let folder: ClipFolder;
let clip: string;

beforeAll(async () => {
  folder = await clipFolder();
  await writeFile(join(folder.path, 'squares.mjs'), DETECTOR);
  const { width, height, fps, seconds } = PICTURE;
  const colour = (grey: number, w: number, h: number): string =>
    `color=c=0x${grey.toString(16).repeat(3)}:s=${w}x${h}:r=${fps}:d=${seconds}`;
  const inputs = [
    colour(20, width, height),
    ...OBJECTS.map(({ grey }) => colour(grey, SIZE.width, SIZE.height)),
    colour(230, PILLAR.width, PILLAR.height),
  ];
  const overlays = OBJECTS.map(
    (one, i) =>
      `[${i === 0 ? '0' : `o${i}`}][${i + 1}]overlay=x='${one.x}+${one.direction * SPEED}*t':y=${one.y}:eval=frame[o${i + 1}]`,
  );
  const pillar = `[o${OBJECTS.length}][${OBJECTS.length + 1}]overlay=x=${PILLAR.x}:y=${PILLAR.y}`;
  clip = await folder.clip(
    'squares.mp4',
    ...inputs.flatMap((input) => ['-f', 'lavfi', '-i', input]),
    '-filter_complex',
    [...overlays, pillar].join(';'),
    ...['-c:v', 'libx264', '-qp', '0', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'],
  );
});
afterAll(() => folder?.remove());

/** Those that no other object and not the pillar hides any of. */
function truthAt(seconds: number): Identities {
  const seen = OBJECTS.map((one) => ({ ...one, left: xAt(one, seconds) }));
  const isApart = (a: number, b: number, width: number): boolean => a + SIZE.width <= b || b + width <= a;
  const visible = seen.filter(({ id, left }) => {
    if (left < 0 || left + SIZE.width > PICTURE.width) return false;
    if (id === 3) return isApart(left, PILLAR.x, PILLAR.width);
    return id === 2 || isApart(left, seen[1]?.left ?? 0, SIZE.width);
  });
  return new Map(visible.map(({ id, left, y }) => [id, [left, y, left + SIZE.width, y + SIZE.height]]));
}

type Line = { readonly algorithm: string; readonly n: number; readonly data: TrackedDetections };

async function play(): Promise<Line[]> {
  const output = join(folder.path, 'out.ndjson');
  const { status, stderr } = await streamInfer([
    ...['run', clip, '--pixel-format', 'gray', '--output', output],
    ...['--algorithm', `squares=${join(folder.path, 'squares.mjs')}`],
    ...['--algorithm', 'tracks=byte-track,after=squares,frameCount=0'],
  ]);
  expect(status, stderr).toBe(0);
  const lines = (await readFile(output, 'utf8')).trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Line);
}

describe('byte-track behind a detector', () => {
  test('numbers each object once, through a crossing and a second behind a pillar', async () => {
    const lines = await play();
    const tracks = lines.filter(({ algorithm }) => algorithm === 'tracks').sort((a, b) => a.n - b.n);
    const pictures = Math.round(PICTURE.fps * PICTURE.seconds);
    expect(tracks.map(({ n }) => n)).toEqual(Array.from({ length: pictures }, (_, i) => i + 1));
    const tracked = tracks.map(
      ({ data: { boxes, trackIds } }): Identities =>
        new Map(trackIds.map((id, at) => [id, boxes[at] as [number, number, number, number]])),
    );
    const truth = tracks.map(({ n }) => truthAt((n - 1) / PICTURE.fps));
    // It is hidden for most of a second, and comes out again.
    const seen = truth.map((objects) => objects.has(3));
    expect(seen.lastIndexOf(true) - seen.indexOf(false)).toBeGreaterThan(30);
    const { idf1, switches } = measureIdentities(truth, tracked);
    expect(switches).toBe(0);
    expect(idf1).toBeGreaterThanOrEqual(0.95);
    expect(new Set(tracks.flatMap(({ data }) => data.trackIds))).toEqual(new Set([1, 2, 3]));
  });

  test('a circle of algorithms is refused before anything starts, written out', async () => {
    const config = join(folder.path, 'circle.yaml');
    await writeFile(
      config,
      `algorithms:\n  - {name: a, use: byte-track, after: b}\n  - {name: b, use: byte-track, after: a}\nstreams:\n  - {id: s, source: ${clip}}\n`,
    );
    const { status, stderr } = await streamInfer(['run', '--config', config]);
    expect(stderr).toMatch(/^CONFIG_INVALID: .*algorithm a comes after itself \(a after b after a\)/m);
    expect(status).toBe(2);
  });
});
