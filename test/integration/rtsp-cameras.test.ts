/** The cameras that the chaos tests break do break, each in its own way, as a plain ffmpeg sees them. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { rational } from '@stream-infer/core/rational';
import { spawnOwned } from '@stream-infer/service-kit/owned-process';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { probe as probeOfIngest } from '../../services/ingest/src/probe.ts';
import { sourceOf } from '../../services/ingest/src/source.ts';
import { eventually } from '../harness/eventually.ts';
import { settled } from '../harness/ingest-world.ts';
import { CameraServer, hasRtspServer } from '../harness/rtsp-server.ts';

const GOP = 10;
const QUICK = ['-v', 'error', '-rtsp_transport', 'tcp', '-fpsprobesize', '0'];

let cameras: CameraServer;
const watchers: Watcher[] = [];

/** Size of the picture, or what ffprobe complains of. */
const probe = (url: string): Promise<string> =>
  promisify(execFile)('ffprobe', [...QUICK, '-show_entries', 'stream=width,height', '-of', 'csv=p=0', url]).then(
    ({ stdout }) => stdout.trim(),
    (error: unknown) => (error as { stderr: string }).stderr,
  );

type Watcher = {
  /** Hashes of the pictures that came. */
  readonly pictures: string[];
  readonly ended: Promise<unknown>;
  stop(): Promise<unknown>;
};

function watch(url: string): Watcher {
  const args = ['-nostdin', ...QUICK, '-i', url, '-f', 'framemd5', '-flush_packets', '1', '-'];
  const ffmpeg = spawnOwned('ffmpeg', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const pictures: string[] = [];
  let rest = '';
  ffmpeg.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (!line.startsWith('#')) pictures.push(line.split(',').at(-1)?.trim() ?? '');
  });
  const ended = new Promise((resolve) => ffmpeg.once('close', resolve));
  const watcher = {
    pictures,
    ended,
    stop: () => {
      ffmpeg.kill('SIGKILL');
      return ended;
    },
  };
  watchers.push(watcher);
  return watcher;
}

const more = async ({ pictures }: Watcher, count: number): Promise<string[]> => {
  const from = pictures.length;
  await eventually(`${count} more pictures`, () => pictures.length >= from + count);
  return pictures.slice(from, from + count);
};

describe.skipIf(!hasRtspServer)('a camera (gst-rtsp-server of the distribution)', () => {
  beforeAll(async () => {
    cameras = await CameraServer.start({ cameras: 20, rate: 20, gop: GOP });
  });
  afterEach(async () => {
    await Promise.all(watchers.splice(0).map((watcher) => watcher.stop()));
  });
  afterAll(() => cameras?.stop());

  test('is one of twenty that play at once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, camera) => probe(cameras.url(camera))));
    expect(answers).toEqual(new Array(20).fill('64,48'));
  });

  test('is probed for its rate, unless that is known', async () => {
    const url = cameras.url(8);
    const source = sourceOf(url, url, 10_000);
    const { signal } = new AbortController();
    const options = { ffprobePath: 'ffprobe', openTimeoutMs: 10_000, videoStream: 0, signal };
    const [probed, again] = [
      await probeOfIngest(source, options),
      await probeOfIngest(source, { ...options, knownFps: rational(15) }),
    ];
    expect(probed.facts).toMatchObject({ live: true, sampling: 'time', fps: '20', width: 64, height: 48 });
    expect(again.facts).toEqual({ ...probed.facts, fps: '15' });
  });

  test('has a picture that moves, until it stands still to the bit, key pictures included, and moves again', async () => {
    const watcher = watch(cameras.url(0));
    expect(new Set(await more(watcher, GOP)).size).toBe(GOP);
    await cameras.setFrozen(0, true);
    // What was on its way still moved.
    await more(watcher, GOP);
    expect(new Set(await more(watcher, 2 * GOP + 1)).size).toBe(1);
    await cameras.setFrozen(0, false);
    await eventually('another picture', () => new Set(watcher.pictures.slice(-5)).size === 5);
  });

  test('falls silent with its connection open, and goes on in the same', async () => {
    const [watcher, other] = [watch(cameras.url(1)), watch(cameras.url(2))];
    await Promise.all([more(watcher, 1), more(other, 1)]);
    await cameras.setMuted(1, true);
    await settled(() => Promise.resolve(watcher.pictures.length), 500);
    await more(other, GOP);
    const silent = watcher.pictures.length;
    await more(other, GOP);
    expect(watcher.pictures.length).toBe(silent);
    await cameras.setMuted(1, false);
    await more(watcher, 1);
  });

  test('is removed: who watches it is cut off, it is not found, the others play on, and it comes back', async () => {
    const [watcher, other] = [watch(cameras.url(3)), watch(cameras.url(4))];
    await Promise.all([more(watcher, 1), more(other, 1)]);
    await cameras.remove(3);
    await watcher.ended;
    expect(await probe(cameras.url(3))).toContain('404 Not Found');
    await more(other, GOP);
    await cameras.restore(3);
    expect(await probe(cameras.url(3))).toBe('64,48');
  });

  test('wants the right password, once it wants one', async () => {
    const right = { user: 'camera', password: 'right' };
    await cameras.setCredentials(right);
    expect(await probe(cameras.url(5))).toContain('401 Unauthorized');
    expect(await probe(cameras.url(5, { ...right, password: 'wrong' }))).toContain('401 Unauthorized');
    expect(await probe(cameras.url(5, right))).toBe('64,48');
    await cameras.setCredentials(undefined);
    expect(await probe(cameras.url(5))).toBe('64,48');
  });

  test('is suspended with its server, connections open, and resumed', async () => {
    const watcher = watch(cameras.url(6));
    await more(watcher, 1);
    cameras.suspend();
    await settled(() => Promise.resolve(watcher.pictures.length), 1_000);
    cameras.resume();
    await more(watcher, GOP);
  });

  test('dies with its server, which comes back on its port', async () => {
    const watcher = watch(cameras.url(7));
    await more(watcher, 1);
    await cameras.kill();
    await watcher.ended;
    expect(await probe(cameras.url(7))).toContain('Connection refused');
    await cameras.restart();
    expect(await probe(cameras.url(7))).toBe('64,48');
  });
});
