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
import { OBJECTS, PICTURE, PILLAR, SIZE, SQUARES, squaresDetector, xAt } from '../harness/squares.ts';
import { type Identities, measureIdentities } from '../model/identity-measure.ts';

let folder: ClipFolder;
let clip: string;

beforeAll(async () => {
  folder = await clipFolder();
  await writeFile(join(folder.path, 'squares.mjs'), squaresDetector());
  clip = await folder.clip('squares.mp4', ...SQUARES);
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
