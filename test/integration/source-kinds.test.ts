/** Every way in which video comes in, played in realtime as the ingest plays it; RTSP is in rtsp-cameras and live. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { spawnOwned } from '@stream-infer/service-kit/owned-process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ClipFolder, clipFolder, referenceFrames, testPicture } from '../harness/clips.ts';
import { type DecodedPicture, decode } from '../harness/decoded-source.ts';
import { eventually } from '../harness/eventually.ts';
import { type LiveSource, serveFolder, serveMjpeg, serveRtmp } from '../harness/live-sources.ts';

const RATE = 10;
const REALTIME = { mode: 'realtime' } as const;

let clips: ClipFolder;
let folder: LiveSource;
const stops: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  clips = await clipFolder();
  folder = await serveFolder(clips.path);
});
afterAll(async () => {
  await Promise.all(stops.map((stop) => stop()));
  await folder?.stop();
  await clips?.remove();
});

const numbers = (pictures: readonly DecodedPicture[]): number[] => pictures.map(({ n }) => n);
const hashes = (pictures: readonly { readonly md5: string }[]): string[] => pictures.map(({ md5 }) => md5);
const sinceFirst = (pictures: readonly DecodedPicture[]): number[] =>
  pictures.map(({ ptsTicks = 0 }) => ptsTicks - (pictures[0]?.ptsTicks ?? 0));
const countTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

test('a video file over HTTP is the file, at its natural rate', async () => {
  const file = await clips.clip('clip.mp4', ...testPicture('64x48', String(RATE), 2, '-movflags', '+faststart'));
  const startedAtMs = performance.now();
  const { prepared, pictures, fault } = await decode(`${folder.url}/clip.mp4`, REALTIME);
  expect(performance.now() - startedAtMs).toBeGreaterThan(1_500);
  expect(prepared.facts).toMatchObject({ live: false, sampling: 'index', fps: String(RATE) });
  expect(hashes(pictures)).toEqual(hashes(await referenceFrames(file, '-pix_fmt', 'bgr24')));
  expect(fault).toBeUndefined();
});

test('a finished HLS playlist is played whole', async () => {
  const segments = ['-g', '10', '-f', 'hls', '-hls_time', '1', '-hls_list_size', '0'];
  await clips.clip('finished.m3u8', ...testPicture('64x48', String(RATE), 3, ...segments));
  const { prepared, pictures } = await decode(`${folder.url}/finished.m3u8`, REALTIME);
  expect(prepared.facts).toMatchObject({ live: false, width: 64, height: 48 });
  expect(numbers(pictures)).toEqual(countTo(3 * RATE));
});

test('an HLS playlist that grows is live, and its frames have their times', async () => {
  const picture = ['-re', ...testPicture('64x48', String(RATE), 60, '-g', '10')];
  const hls = ['-f', 'hls', '-hls_time', '1', '-hls_list_size', '4', '-hls_flags', 'delete_segments'];
  await mkdir(join(clips.path, 'growing'));
  const playlist = join(clips.path, 'growing', 'live.m3u8');
  const writer = spawnOwned('ffmpeg', ['-nostdin', '-v', 'error', ...picture, ...hls, playlist], { stdio: 'ignore' });
  const ended = new Promise((resolve) => writer.once('close', resolve));
  stops.push(() => {
    writer.kill('SIGKILL');
    return ended;
  });
  const url = `${folder.url}/growing/live.m3u8`;
  await eventually('three segments', async () => ((await (await fetch(url)).text()).match(/\.ts/g)?.length ?? 0) >= 3);
  const { prepared, pictures } = await decode(url, { ...REALTIME, fps: String(RATE) }, { most: 25 });
  expect(prepared.facts).toMatchObject({ live: true, sampling: 'time' });
  expect(numbers(pictures)).toEqual(countTo(25));
  const steps = pictures.slice(1).map(({ ptsTicks = 0 }, i) => ptsTicks - (pictures[i]?.ptsTicks ?? 0));
  expect(new Set(steps)).toEqual(new Set([90_000 / RATE]));
});

test('motion JPEG over HTTP has no times: a frame is at the time when it came', async () => {
  const pictures = join(clips.path, 'pictures');
  await mkdir(pictures);
  await clips.clip('pictures/%02d.jpg', '-f', 'lavfi', '-i', `testsrc2=s=64x48:r=${RATE}:d=2`, '-q:v', '3');
  const camera = await serveMjpeg(pictures, RATE);
  stops.push(camera.stop);
  const arrivals: number[] = [];
  const onPicture = (): void => void arrivals.push(performance.now());
  const fps = RATE / 2;
  const played = await decode(`${camera.url}/video`, { ...REALTIME, fps: String(fps) }, { most: 12, onPicture });
  expect(played.prepared.facts).toMatchObject({ live: true, sampling: 'time', codec: 'mjpeg' });
  const [first, last] = [played.pictures[1], played.pictures.at(-1)];
  const playedSeconds = ((last?.n ?? 0) - (first?.n ?? 0)) / fps;
  const passedSeconds = ((arrivals.at(-1) ?? 0) - (arrivals[1] ?? 0)) / 1_000;
  expect(Math.abs(playedSeconds - passedSeconds)).toBeLessThan(0.5);
  expect((last?.ptsTicks ?? 0) / 1_000).toBeGreaterThan(Date.now() / 1_000 - 60);
});

test('RTMP is live, and the same where its URL has a password', async () => {
  const clip = await clips.clip('camera.flv', ...testPicture('64x48', String(RATE), 10, '-g', '10'));
  const camera = await serveRtmp(clip);
  stops.push(camera.stop);
  const { prepared, pictures } = await decode(camera.url, { ...REALTIME, fps: String(RATE) }, { most: 15 });
  expect(prepared.facts).toMatchObject({ live: true, sampling: 'time', codec: 'h264', width: 64, height: 48 });
  expect(numbers(pictures)).toEqual(countTo(15));
  const locked = camera.url.replace('//', '//watcher:secret@');
  const same = await decode(locked, { ...REALTIME, fps: String(RATE) }, { most: 15 });
  expect(same.prepared.source.script?.text).toContain('watcher:secret');
  expect(same.prepared.facts).toEqual(prepared.facts);
  expect(hashes(same.pictures)).toEqual(hashes(pictures));
  expect(sinceFirst(same.pictures)).toEqual(sinceFirst(pictures));
});

test('a picture that ffmpeg makes is held to the time in realtime', async () => {
  const startedAtMs = performance.now();
  const { prepared, pictures } = await decode(`lavfi:testsrc2=s=64x48:r=${RATE}`, REALTIME, { most: 12 });
  expect(performance.now() - startedAtMs).toBeGreaterThan(1_000);
  expect(prepared.facts).toMatchObject({ live: true, fps: String(RATE) });
  expect(numbers(pictures)).toEqual(countTo(12));
});
