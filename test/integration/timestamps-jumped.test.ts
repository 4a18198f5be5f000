/** A live source whose presentation times leap ends its epoch: n is counted by them, and goes on by the time that passed (EX-8). */

import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CameraRecorder } from '../harness/camera-recorder.ts';
import { type ClipFolder, clipFolder, testPicture } from '../harness/clips.ts';
import { eventually } from '../harness/eventually.ts';
import { IngestWorld } from '../harness/ingest-world.ts';
import type { ServiceProcess } from '../harness/service-process.ts';

const RATE = 10;

let clips: ClipFolder;
let world: IngestWorld;
let ingest: ServiceProcess;
let server: Server;

beforeAll(async () => {
  clips = await clipFolder();
  world = await IngestWorld.open();
  ingest = await world.ingest({ BACKOFF_MAX_MS: '250' });
});
afterAll(async () => {
  await world?.close();
  server?.closeAllConnections();
  server?.close();
  await clips?.remove();
});

/** MPEG-TS over HTTP that leaps after three seconds, to this time, and then stays open. */
async function leaping(toSeconds: number): Promise<string> {
  const part = (name: string, ...more: string[]): Promise<string> =>
    clips.clip(name, ...testPicture('64x48', String(RATE), 3, '-g', String(RATE), ...more));
  const parts = [
    await part('first.ts', '-output_ts_offset', '1000'),
    await part('second.ts', '-output_ts_offset', String(toSeconds)),
  ];
  const stream = Buffer.concat(await Promise.all(parts.map((file) => readFile(file))));
  server = createServer((_, response) => void response.writeHead(200, { 'content-type': 'video/mp2t' }).write(stream));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/live.ts`;
}

test.each([
  ['back', 10],
  ['ahead', 2_000],
])('%s', async (way, toSeconds) => {
  const recorder = new CameraRecorder(world);
  try {
    await world.play(way, await leaping(toSeconds), { mode: 'realtime', fps: String(RATE) });
    const frames = await eventually('two epochs', () => {
      const all = recorder.frames(way);
      return new Set(all.map(({ epoch }) => epoch)).size >= 2 && all;
    });
    expect(ingest.log()).toContain('"reason":"timestamps-jumped"');
    const first = frames.filter(({ epoch }) => epoch === frames[0]?.epoch);
    // What came before the leap, and nothing of what came after it. It comes all at once, so that a bus that is behind may lack some.
    expect(first.length).toBeGreaterThan(0);
    expect(first.at(-1)?.n).toBeLessThanOrEqual(3 * RATE);
    const numbers = frames.map(({ n }) => n);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  } finally {
    recorder.close();
    await world.streams.delete(way);
    server.closeAllConnections();
    server.close();
  }
});
