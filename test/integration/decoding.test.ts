/** Frames as the ingest numbers, times and hands them out, against what ffmpeg alone makes of the same sources. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ClipFolder, clipFolder, packetPts, referenceFrames, testPicture } from '../harness/clips.ts';
import { decode, everyFrame, prepare, streamSpec } from '../harness/decoded-source.ts';
import { media } from '../harness/media.ts';

const NO_MEDIA = 'STREAM_INFER_MEDIA names no folder of videos';
const video = (name: string): string => join(media ?? '', 'videos', name);

let clips: ClipFolder;
beforeAll(async () => {
  clips = await clipFolder();
});
afterAll(async () => clips?.remove());

const VIDEOS = [
  { name: 'asl_book.mkv', frames: 109, fps: '30', sampling: 'index' },
  { name: 'car-detection.mp4', frames: 377, fps: '25/2', sampling: 'index' },
  { name: 'webcam_face_no_stss.mp4', frames: 30, fps: '30000/1001', sampling: 'index' },
  { name: 'piccadilly_night.mp4', frames: 431, fps: '30', sampling: 'index' },
  { name: 'nasa_13013.mp4', frames: 325, fps: '25', sampling: 'index' },
  { name: 'desks_vfr_h263.3gp', frames: 71, fps: '3550/251', sampling: 'time' },
  { name: 'h265_opengop_10f.mp4', frames: 10, fps: '10', sampling: 'index' },
  { name: 'corrupt_one_nal.mp4', frames: 49, fps: '10', sampling: 'index' },
] as const;

describe.skipIf(!media)(`the videos of the manifest (else: ${NO_MEDIA})`, () => {
  test.each(VIDEOS)('$name: every frame, in display order, with its time and its pixels', async (given) => {
    const file = video(given.name);
    // Slots of a millisecond: every frame of a variable rate has one of its own.
    const { prepared, pictures, ledger } = await decode(file, given.sampling === 'time' ? { fps: '1000' } : {});
    const { fps, sampling } = prepared.facts;
    expect({ fps, sampling }).toEqual({ fps: given.fps, sampling: given.sampling });
    expect(pictures).toHaveLength(given.frames);
    expect(ledger.decoded).toBe(given.frames);
    expect(pictures.map(({ sourceIndex }) => sourceIndex)).toEqual(pictures.map((_, index) => index));
    if (sampling === 'index') expect(pictures.map(({ n }) => n)).toEqual(pictures.map((_, index) => index + 1));
    const reference = await referenceFrames(file, '-map', '0:v:0', '-pix_fmt', 'bgr24');
    expect(pictures.map(({ md5 }) => md5)).toEqual(reference.map(({ md5 }) => md5));
    const times = await packetPts(file);
    const present = new Set(pictures.map(({ ptsTicks }) => ptsTicks));
    expect(times.filter((time) => !present.has(time))).toHaveLength(times.length - given.frames);
    expect(pictures[0]?.ptsTicks).toBe(times[0]);
  });

  // Of the others the manifest hashes a range, a matrix or a frame that yuv420p here is not.
  test.each([
    'car-detection.mp4',
    'h265_opengop_10f.mp4',
    'piccadilly_night.mp4',
    'webcam_face_no_stss.mp4',
    'corrupt_one_nal.mp4',
  ])("%s in yuv420p has the manifest's hash", async (name) => {
    const manifest = readFileSync(join(media ?? '', 'MANIFEST.md'), 'utf8');
    const row = manifest.split('\n').find((line) => line.startsWith(`| ${name} |`)) ?? '';
    // How ffmpeg conceals a broken frame depends on its threads.
    const { pictures } = await decode(file(name), { pixelFormat: 'yuv420p' }, { settings: { ffmpegThreads: 1 } });
    const lines = pictures.map(({ md5 }) => `${md5}\n`).join('');
    expect(row).toContain(`| ${createHash('sha256').update(lines).digest('hex').slice(0, 16)} |`);
  });
  const file = video;

  test('asl_book.mkv begins at 0.033 s, in ticks of a millisecond', async () => {
    const { pictures, prepared } = await decode(video('asl_book.mkv'), { fps: '1' });
    expect(prepared.timeBase).toEqual({ num: 1, den: 1000 });
    expect(pictures.map(({ n, sourceIndex, ptsTicks }) => [n, sourceIndex, ptsTicks])).toEqual([
      [1, 0, 33],
      [2, 30, 1033],
      [3, 60, 2033],
      [4, 90, 3033],
    ]);
  });

  test('desks_vfr_h263.3gp at 10 fps: the first frame of each slot of SEMANTICS', async () => {
    const times = await packetPts(video('desks_vfr_h263.3gp'));
    const first = times[0] ?? 0;
    const slots = new Map<number, number>();
    times.forEach((ticks, index) => {
      // floor((pts - first + 1 ms) × 10), in ticks of 1/16000 s.
      const slot = Math.floor(((ticks - first + 16) * 10) / 16_000);
      if (!slots.has(slot)) slots.set(slot, index);
    });
    const { pictures, ledger } = await decode(video('desks_vfr_h263.3gp'), { fps: '10' });
    expect(pictures.map(({ n, sourceIndex }) => [n - 1, sourceIndex])).toEqual([...slots]);
    expect(slots.size).toBeGreaterThan(30);
    expect(ledger.fates).toEqual({ 'before-start': 0, skipped: 71 - slots.size, 'not-needed': 0 });
  });

  test('nasa_13013.mp4: the first of two video streams unless another is chosen', async () => {
    const second = await decode(video('nasa_13013.mp4'), { videoStream: 1 });
    expect(second.prepared.facts).toMatchObject({ width: 480, height: 270, fps: '30000/1001' });
    const reference = await referenceFrames(video('nasa_13013.mp4'), '-map', '0:v:1', '-pix_fmt', 'bgr24');
    expect(second.pictures.map(({ md5 }) => md5)).toEqual(reference.map(({ md5 }) => md5));
    expect((await prepare(streamSpec(video('nasa_13013.mp4')))).facts).toMatchObject({ width: 320, height: 180 });
    await expect(decode(video('nasa_13013.mp4'), { videoStream: 2 })).rejects.toMatchObject({
      code: 'SOURCE_NO_VIDEO',
      message: expect.stringContaining('choose 0 to 1'),
    });
  });

  test('corrupt_one_nal.mp4: the frame that is lost is told with its time', async () => {
    const { fault, pictures } = await decode(video('corrupt_one_nal.mp4'));
    const present = new Set(pictures.map(({ ptsTicks }) => ptsTicks));
    const [lost] = (await packetPts(video('corrupt_one_nal.mp4'))).filter((ticks) => !present.has(ticks));
    expect(fault).toMatchObject({
      code: 'SOURCE_DAMAGED',
      message: expect.stringContaining(`at ${(lost ?? 0) / 10_240} s: 1 of its 50 frames could not be decoded`),
    });
  });

  test('asl_book.mkv as JPEG has the colours that it has raw', async () => {
    expect(await jpegDifference(video('asl_book.mkv'), { fps: '1/2' })).toBeLessThan(3);
  });
});

describe('which frames come out', () => {
  let steady: string;
  let variable: string;
  const RATES = { steady: { num: 30_000, den: 1001 } } as const;
  const FRAMES = 150;
  beforeAll(async () => {
    steady = await clips.clip('steady.mp4', ...testPicture('32x32', '30000/1001', 5, '-frames:v', String(FRAMES)));
    // Frames 7k + 3 and 11k are dropped, so that the rest comes at irregular times.
    const drop = "select='not(eq(mod(n,7),3))*not(eq(mod(n,11),5))'";
    const sparse = testPicture('32x32', '50', 4, '-vf', drop, '-fps_mode', 'passthrough');
    variable = await clips.clip('variable.mkv', ...sparse);
  });

  /** Numbers of frames that some window wants: due at n, they look back from there. */
  const wanted = (last: number, algorithms: StreamSpec['algorithms']): Set<number> => {
    const numbers = new Set<number>();
    for (const { frameCount, frameStep, intervalFrames = 1 } of algorithms)
      for (let due = 0; due <= last + frameCount * Math.max(frameStep, 1) + intervalFrames; due += intervalFrames)
        for (let back = 0; back < frameCount; back += 1) numbers.add(due - back * Math.max(frameStep, 1));
    return numbers;
  };

  const schedules = fc.array(
    fc.record({
      frameCount: fc.integer({ min: 1, max: 4 }),
      frameStep: fc.integer({ min: 0, max: 5 }),
      intervalFrames: fc.integer({ min: 1, max: 40 }),
    }),
    { minLength: 1, maxLength: 3 },
  );
  const rates = fc.record({ num: fc.integer({ min: 1, max: 6000 }), den: fc.integer({ min: 1, max: 1001 }) });
  const runs = { numRuns: 12, seed: 20, endOnFailure: true };

  test('by index they are those that SEMANTICS names, whatever the rates, windows and position', async () => {
    const { num, den } = RATES.steady;
    const asked = fc.record({ fps: rates, schedule: schedules, position: fc.integer({ min: 0, max: 4_500 }) });
    await fc.assert(
      fc.asyncProperty(asked, async ({ fps, schedule, position }) => {
        const algorithms = schedule.map((own, i) => ({ ...everyFrame, ...own, name: `a${i}` }));
        const limited = fps.num * den > num * fps.den ? { num, den } : fps;
        // Source frame of the k-th played: start + ceil(k × source / fps).
        const start = Math.floor((position * num) / (1_000 * den));
        const expected: [number, number][] = [];
        const firstN = Math.floor((position * limited.num) / (1_000 * limited.den)) + 1;
        const needed = wanted(firstN + FRAMES, algorithms);
        for (let k = 0; ; k += 1) {
          const index = start + Math.ceil((k * num * limited.den) / (den * limited.num));
          if (index >= FRAMES) break;
          if (needed.has(firstN + k)) expected.push([firstN + k, index]);
        }
        const given = { algorithms, fps: `${fps.num}/${fps.den}`, position: `${position}/1000` };
        const { pictures } = await decode(steady, given);
        expect(pictures.map(({ n, sourceIndex }) => [n, sourceIndex])).toEqual(expected);
      }),
      runs,
    );
  });

  test('by presentation time they are the first of their slots', async () => {
    const times = await packetPts(variable);
    await fc.assert(
      fc.asyncProperty(rates, fc.integer({ min: 1, max: 9 }), async ({ num, den }, intervalFrames) => {
        const expected: [number, number][] = [];
        let last = 0;
        times.forEach((ms, index) => {
          const n = Math.floor(((ms - (times[0] ?? 0) + 1) * num) / (1_000 * den)) + 1;
          if (n <= last) return;
          last = n;
          if (n % intervalFrames === 0) expected.push([n, index]);
        });
        const { prepared, pictures } = await decode(variable, {
          fps: `${num}/${den}`,
          algorithms: [{ ...everyFrame, intervalFrames }],
        });
        expect(prepared.facts.sampling).toBe('time');
        expect(pictures.map(({ n, sourceIndex }) => [n, sourceIndex])).toEqual(expected);
      }),
      runs,
    );
  });

  test('more ranges than an expression holds are told apart here, and nothing is lost', async () => {
    const algorithms = [{ ...everyFrame, frameCount: 600, frameStep: 2, intervalFrames: 10_000 }];
    const { prepared, pictures, ledger } = await decode(steady, { algorithms });
    expect(prepared.selective).toBe(false);
    const needed = wanted(10_000, algorithms);
    expect(pictures.map(({ n }) => n)).toEqual(
      Array.from({ length: FRAMES }, (_, i) => i + 1).filter((n) => needed.has(n)),
    );
    expect(ledger.played).toBe(FRAMES);
  });
});

describe('geometry', () => {
  test('a turned picture is decoded upright, and its size is that of the upright one', async () => {
    const plain = await clips.clip('plain.mp4', ...testPicture('64x48', '10', 1));
    const copied = ['-i', plain, '-c', 'copy'];
    // Which of the two ways there is depends on ffmpeg's version.
    const turned = await clips
      .clip('turned.mp4', '-display_rotation', '90', ...copied)
      .catch(() => clips.clip('turned.mp4', ...copied, '-metadata:s:v', 'rotate=90'));
    const { prepared, pictures } = await decode(turned);
    expect(prepared.facts).toMatchObject({ width: 48, height: 64 });
    const reference = await referenceFrames(turned, '-pix_fmt', 'bgr24');
    expect(pictures.map(({ md5 }) => md5)).toEqual(reference.map(({ md5 }) => md5));
    expect(pictures).not.toEqual((await decode(plain)).pictures);
  });

  test('yuv420p is in limited range, whatever the source is in', async () => {
    const white = ['-f', 'lavfi', '-i', 'color=white:s=64x64:r=5:d=1', '-vf', 'scale=out_range=pc,format=yuv420p'];
    const file = await clips.clip('white.mkv', ...white, '-c:v', 'libvpx-vp9', '-color_range', 'pc');
    let luma: number | undefined;
    const onPicture = (data: Uint8Array): void => {
      luma ??= data[100];
    };
    await decode(file, { pixelFormat: 'yuv420p' }, { onPicture });
    expect(luma).toBe(235);
  });

  test('a JPEG has the colours of its source, whichever matrix that is coded with', async () => {
    const red = [
      '-f',
      'lavfi',
      '-i',
      'color=0xd02010:s=64x64:r=5:d=1',
      '-vf',
      'scale=out_color_matrix=bt709,format=yuv420p',
    ];
    const tags = ['-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709'];
    expect(await jpegDifference(await clips.clip('red.mp4', ...red, '-c:v', 'libx264', ...tags), {})).toBeLessThan(3);
  });

  test('a name may hold whatever a file system lets it', async () => {
    const plain = await clips.clip('plain2.mp4', ...testPicture('32x32', '10', 1));
    const odd = join(clips.path, "-it's 100%:[a],b;c=d \\ é.mp4");
    await copyFile(plain, odd);
    expect((await decode(odd)).pictures).toHaveLength(10);
  });
});

test('a picture made by ffmpeg is a source too, sampled by time', async () => {
  const { prepared, pictures } = await decode('lavfi:testsrc2=s=64x48:r=10:d=2', { fps: '5' });
  expect(prepared.facts).toMatchObject({ live: true, sampling: 'time' });
  expect(pictures.map(({ n, sourceIndex }) => [n, sourceIndex])).toEqual(
    Array.from({ length: 10 }, (_, k) => [k + 1, 2 * k]),
  );
});

/** By how much a channel of the newest picture differs on average between JPEG, decoded by ffmpeg, and raw. */
async function jpegDifference(file: string, different: Partial<StreamSpec>): Promise<number> {
  let raw = new Uint8Array();
  let jpeg = new Uint8Array();
  const keepRaw = (data: Uint8Array): void => {
    raw = Uint8Array.from(data);
  };
  const keepJpeg = (data: Uint8Array): void => {
    jpeg = Uint8Array.from(data);
  };
  await decode(file, different, { onPicture: keepRaw });
  await decode(file, { ...different, encoding: 'jpeg' }, { onPicture: keepJpeg });
  const path = join(clips.path, 'picture.jpg');
  await writeFile(path, jpeg);
  const decoded = await readFile(await clips.clip('picture.raw', '-i', path, '-pix_fmt', 'bgr24', '-f', 'rawvideo'));
  expect(decoded.byteLength).toBe(raw.byteLength);
  return raw.reduce((sum, value, i) => sum + Math.abs(value - (decoded[i] ?? 0)), 0) / raw.byteLength;
}
