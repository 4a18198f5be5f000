/** What the processes of this machine tell everybody: of a camera's password nothing, while it is probed and while it plays (I8). */

import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { IngestWorld } from '../harness/ingest-world.ts';
import { descendants } from '../harness/process-tree.ts';
import { CameraServer, hasRtspServer } from '../harness/rtsp-server.ts';

const CREDENTIALS = { user: 'watcher', password: 'Tr0ub4dor' };
const LIVE = { mode: 'realtime' } as const;

let world: IngestWorld;
let cameras: CameraServer;

/** Arguments and environment of a process, as root sees them; empty where it is gone. */
const told = async (pid: number): Promise<string> => {
  const read = (name: string): Promise<string> => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '');
  return `${await read('cmdline')}\0${await read('environ')}`;
};

/** Those of the children of the ingest that run `program`, once there is one. */
const running = (ingest: number, program: string): Promise<string[]> =>
  eventually(`${program} runs`, async () => {
    const all = await descendants(ingest);
    const seen = await Promise.all(all.map(({ pid }) => told(pid)));
    const those = seen.filter((text) => text.startsWith(`${program}\0`));
    return those.length > 0 ? those : undefined;
  });

describe.skipIf(!hasRtspServer)('of a camera with a password', () => {
  beforeAll(async () => {
    [world, cameras] = await Promise.all([IngestWorld.open(), CameraServer.start({ cameras: 2, rate: 20 })]);
    await cameras.setCredentials(CREDENTIALS);
  });
  afterEach(() => cameras.resume());
  afterAll(async () => {
    await world?.close();
    await cameras?.stop();
  });

  test('no process tells it, from the first look at it to its pictures', async () => {
    const { process } = await world.ingest({ GATE_URL: cameras.url(0, CREDENTIALS) });
    const pid = process.pid ?? 0;
    cameras.suspend();
    await world.streams.put('gate', {
      id: 'gate',
      sourceFrom: { env: 'GATE_URL' },
      ...LIVE,
      pixelFormat: 'gray',
      encoding: 'raw',
      position: '0',
      videoStream: 0,
      algorithms: [],
    });
    await world.play('yard', cameras.url(1, CREDENTIALS), LIVE);
    const probing = await running(pid, 'ffprobe');
    cameras.resume();
    await Promise.all([world.untilPlaying('gate'), world.untilPlaying('yard')]);
    const playing = await eventually('both play', async () => {
      const found = await running(pid, 'ffmpeg');
      return found.length === 2 ? found : undefined;
    });
    for (const text of [...probing, ...playing]) {
      expect(text).not.toContain(CREDENTIALS.password);
      expect(text).not.toContain(CREDENTIALS.user);
    }
  });
});
