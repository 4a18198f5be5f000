/** The annotated video: every frame of the source at its time, with the boxes that stand on it and none before them. */

import { type ChildProcess, execFileSync } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { streamInfer } from '../harness/command.ts';
import { eventually } from '../harness/eventually.ts';
import { makeVideo } from '../harness/made-videos.ts';
import { media } from '../harness/media.ts';

const [WIDTH, HEIGHT] = [160, 120];

/** From frame 9 on a box in the left half; from frame 19 on one in the right half; from frame 29 on none. */
const BOXES = `export default class {
  run([{ index }]) {
    const boxes = index === 9 ? [[10, 30, 70, 110]] : index === 19 ? [[90, 30, 150, 110]] : [];
    return { boxes, scores: boxes.map(() => 0.875), labels: boxes.map(() => 'thing'), classIds: boxes.map(() => 0) };
  }
}
`;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-annotate-'));
  makeVideo(join(directory, 'clip.mp4'), { seconds: 4, size: `${WIDTH}x${HEIGHT}`, picture: 'color' });
  makeVideo(join(directory, 'odd.mp4'), { seconds: 1, size: '64x48' });
  await writeFile(join(directory, 'boxes.mjs'), BOXES);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const run = (...args: string[]) => streamInfer(['run', ...args], { cwd: directory });

/** Every frame's pixels as rgb24. */
function pixels(file: string): Buffer[] {
  const bytes = execFileSync(
    'ffmpeg',
    ['-v', 'error', '-i', file, '-fps_mode', 'passthrough', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'],
    {
      maxBuffer: 1 << 28,
    },
  );
  const size = WIDTH * HEIGHT * 3;
  return Array.from({ length: bytes.length / size }, (_, index) => bytes.subarray(index * size, (index + 1) * size));
}

const probe = (file: string, ...entries: string[]): string =>
  execFileSync(
    'ffprobe',
    ['-v', 'error', '-select_streams', 'v:0', '-of', 'csv=p=0', '-show_entries', ...entries, file],
    {
      encoding: 'utf8',
    },
  ).trim();

const times = (file: string): number[] =>
  [...probe(file, 'frame=best_effort_timestamp_time').matchAll(/\d+\.\d+/g)].map(([time]) => Number(time));

/** The mean difference of two pictures along a vertical line. */
function differenceAt(a: Buffer | undefined, b: Buffer | undefined, x: number): number {
  let sum = 0;
  for (let y = 40; y < 100; y += 1) {
    const at = (y * WIDTH + x) * 3;
    for (let channel = 0; channel < 3; channel += 1)
      sum += Math.abs((a?.[at + channel] ?? 0) - (b?.[at + channel] ?? 0));
  }
  return sum / 180;
}

describe('--annotate', () => {
  test('draws boxes on the frame that they belong to and until the next result, and leaves all else as it was', async () => {
    const result = await run(
      'clip.mp4',
      '--algorithm',
      './boxes.mjs,interval=1',
      '--annotate',
      'out.mp4',
      '--output',
      'r.json',
    );
    expect(result).toMatchObject({ status: 0, stderr: '' });
    expect(result.stdout).toContain(`video: ${join(directory, 'out.mp4')}`);
    const out = join(directory, 'out.mp4');
    expect(probe(out, 'stream=codec_name,width,height,pix_fmt')).toBe(`h264,${WIDTH},${HEIGHT},yuv420p`);
    const source = pixels(join(directory, 'clip.mp4'));
    const drawn = pixels(out);
    expect(drawn).toHaveLength(40);
    const seen = drawn.map((picture, index) => {
      const left = differenceAt(picture, source[index], 10) > 40;
      const right = differenceAt(picture, source[index], 90) > 40;
      // Between the boxes nothing is drawn; the codec changes a little everywhere.
      expect(differenceAt(picture, source[index], 80)).toBeLessThan(25);
      return left ? (right ? 'both' : 'left') : right ? 'right' : '-';
    });
    expect(seen).toEqual([
      ...Array(9).fill('-'),
      ...Array(10).fill('left'),
      ...Array(10).fill('right'),
      ...Array(11).fill('-'),
    ]);
  });

  test('has the frames at their times, and the moov box first', async () => {
    const [source, out] = [join(directory, 'clip.mp4'), join(directory, 'out.mp4')].map(times);
    expect(out).toEqual(source);
    const head = execFileSync('head', ['-c', '64', join(directory, 'out.mp4')]);
    expect(head.includes('moov')).toBe(true);
  });

  test('with a position begins at the first frame that has a result', async () => {
    const { status, stderr } = await run(
      'clip.mp4',
      '--position',
      '1.5',
      '--algorithm',
      './boxes.mjs,interval=1',
      '--annotate',
      'late.mp4',
      '--output',
      'r.json',
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(times(join(directory, 'late.mp4'))).toHaveLength(40 - 19);
  });

  test('after Ctrl-C has what was computed until then', async () => {
    makeVideo(join(directory, 'long.mp4'), { seconds: 60 });
    await writeFile(
      join(directory, 'slow.mjs'),
      'export default class { async run() { await new Promise((r) => setTimeout(r, 100)); return { boxes: [[1, 2, 30, 40]] }; } }\n',
    );
    const started = Promise.withResolvers<ChildProcess>();
    const result = streamInfer(
      ['run', 'long.mp4', ...['--algorithm', './slow.mjs'], ...['--annotate', 'cut.mp4', '--output', 'cut.ndjson']],
      { cwd: directory, onStart: started.resolve },
    );
    const child = await started.promise;
    await eventually('a record is there', async () => (await stat(join(directory, 'cut.ndjson'))).size > 0);
    child.kill('SIGINT');
    const { status, stdout, stderr } = await result;
    expect({ status, stderr }).toEqual({ status: 130, stderr: '' });
    expect(stdout).toContain(`video: ${join(directory, 'cut.mp4')}`);
    const frames = times(join(directory, 'cut.mp4')).length;
    expect(frames).toBeGreaterThan(0);
    expect(frames).toBeLessThan(600);
  });

  test('makes a video of each of several streams, and says where no result has boxes', async () => {
    const { status, stderr, stdout } = await run(
      'clip.mp4',
      'odd.mp4',
      '--algorithm',
      'stats=frame-stats,interval=1',
      '--annotate',
      'many.mp4',
      '--json',
    );
    expect(status).toBe(0);
    expect(stderr).toMatch(/^stream clip: no result has boxes.*\nstream odd: no result has boxes/);
    expect(JSON.parse(stdout)).toMatchObject({
      annotations: { clip: join(directory, 'many-clip.mp4'), odd: join(directory, 'many-odd.mp4') },
    });
    expect(times(join(directory, 'many-odd.mp4'))).toHaveLength(10);
  });

  test.skipIf(media === undefined)('keeps a variable rate as it is (needs STREAM_INFER_MEDIA)', async () => {
    const source = join(media ?? '', 'videos', 'desks_vfr_h263.3gp');
    await run(
      source,
      '--fps',
      '10',
      '--algorithm',
      'stats=frame-stats,interval=1',
      '--annotate',
      'vfr.mp4',
      '--output',
      'r.json',
    );
    const fromZero = (list: number[]): number[] => list.map((time) => Math.round((time - (list[0] ?? 0)) * 1000));
    expect(fromZero(times(join(directory, 'vfr.mp4')))).toEqual(fromZero(times(source)));
  });
});
