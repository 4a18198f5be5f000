/** A real RTSP server on loopback: results on time, positions by presentation time, and an algorithm that can't keep up. */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { streamInfer } from '../harness/command.ts';
import { type MemoryCurve, recordMemory } from '../harness/memory-curve.ts';
import { hasRtspServer, type RtspServer, startRtspServer } from '../harness/rtsp-server.ts';

const videos = join(import.meta.dirname, '..', 'conformance', 'videos');
const readBlocks = join(import.meta.dirname, '..', 'conformance', 'read-blocks.mjs');
const PASSWORD = 'n0-one-may-see-this';

let directory: string;
let server: RtspServer;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-live-'));
  await writeFile(
    join(directory, 'slow.mjs'),
    'export default class Slow { async run(frames) { await new Promise((r) => setTimeout(r, 900)); return frames[0].n; } }\n',
  );
});
afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

const GRAY = ['--pixel-format', 'gray'];

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

type LiveRecord = {
  algorithm: string;
  n: number;
  key: string;
  timestampMs: number;
  capturedAtMs: number | null;
  lateMs: number | null;
  data: { read: number[]; index: number[] };
};

async function play(url: string, frames: readonly string[], ...algorithms: string[]) {
  const output = join(directory, 'out.ndjson');
  let memory: MemoryCurve | undefined;
  const { status, stdout, stderr } = await streamInfer(
    [
      ...['run', url, ...algorithms.flatMap((algorithm) => ['--algorithm', algorithm]), ...frames],
      ...['--output', output, '--json'],
    ],
    {
      onStart: ({ pid = 0 }) => {
        memory = recordMemory(pid);
      },
    },
  );
  const records = (await readFile(output, 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LiveRecord);
  return { status, stdout, stderr, records, memoryMiB: (await memory?.ended()) ?? [] };
}

describe.skipIf(!hasRtspServer)('a live source (gst-rtsp-server of the distribution)', () => {
  beforeAll(async () => {
    server = await startRtspServer(join(videos, 'counter30.mp4'), { user: 'camera', password: PASSWORD });
    return () => server.stop();
  });

  test('gives results on time, each at the position of its presentation time, and shows no password (I8)', async () => {
    const { records, stdout, stderr } = await play(server.url, GRAY, `blocks=${readBlocks},interval=1`);
    expect(records.length, stderr).toBeGreaterThanOrEqual(9);
    for (const { n, key, data, timestampMs, capturedAtMs, lateMs } of records) {
      // The counter in the picture is the frame's true number: position and picture belong together.
      expect(data.read[0]).toBe(n - 1);
      expect(Math.abs(Number(key) * 1000 - timestampMs - 1000 / 30)).toBeLessThan(2);
      expect(capturedAtMs).toBeGreaterThan(1e12);
      expect(lateMs).toBe(0);
    }
    expect(stdout + stderr).not.toContain(PASSWORD);
  });

  test('is played on while an algorithm takes longer than its interval: drops are counted, order is kept, memory stays (F-10, I3)', async () => {
    const { records, stdout, stderr, memoryMiB } = await play(
      server.url,
      // 79 MiB of frames a second; the buffer holds what may be wanted within the time limit.
      ['--width', '1280', '--height', '720'],
      `slow=${join(directory, 'slow.mjs')},intervalFrames=1,timeoutMs=1500`,
      `blocks=${readBlocks},interval=0.5,timeoutMs=1500`,
    );
    const summary = JSON.parse(stdout) as {
      streams: Record<
        string,
        {
          decoded: number;
          algorithms: Record<
            string,
            { triggered: number; completed: number; failed: number; dropped: Record<string, number> }
          >;
        }
      >;
    };
    const [stream] = Object.values(summary.streams);
    expect(stream?.decoded, stderr).toBeGreaterThanOrEqual(290);
    const slow = stream?.algorithms.slow;
    const dropped = Object.values(slow?.dropped ?? {}).reduce((sum, count) => sum + count, 0);
    expect(slow?.triggered).toBeGreaterThanOrEqual(280);
    expect(slow?.dropped.replaced).toBeGreaterThan(200);
    expect((slow?.completed ?? 0) + (slow?.failed ?? 0) + dropped).toBe(slow?.triggered);
    // The fast algorithm beside it misses nothing.
    expect(records.filter(({ algorithm }) => algorithm === 'blocks').length).toBeGreaterThanOrEqual(18);
    const order = records.filter(({ algorithm }) => algorithm === 'slow').map(({ n }) => n);
    expect(order).toEqual([...order].sort((a, b) => a - b));
    // The last six seconds of its playing, in which 470 MiB of frames came: from the first two of them to the last two.
    const settled = memoryMiB.slice(-14, -2);
    const growth = median(settled.slice(-4)) - median(settled.slice(0, 4));
    expect(growth, `MiB of all processes: ${memoryMiB.map(Math.round).join(' ')}`).toBeLessThan(150);
  });

  test('a wrong password is told as such, without it', async () => {
    const { status, stdout, stderr } = await streamInfer([
      ...['run', server.url.replace(PASSWORD, 'wrong-secret'), '--algorithm', 'stats=frame-stats'],
    ]);
    expect(stderr).toMatch(/^SOURCE_UNAUTHORIZED: /m);
    expect(stdout + stderr).not.toContain('wrong-secret');
    expect(status).toBe(3);
  });
});
