/** Where a source leads is decided by `sources.allow`, whatever a server answers: by a redirect, in a playlist, in a file. */

import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { probe } from '../../services/ingest/src/probe.ts';
import { sourceOf } from '../../services/ingest/src/source.ts';
import { openAccess } from '../../services/ingest/src/source-access.ts';
import { SourcePolicy } from '../../services/ingest/src/source-policy.ts';
import { type ClipFolder, clipFolder, testPicture } from '../harness/clips.ts';
import { eventually } from '../harness/eventually.ts';
import { IngestWorld } from '../harness/ingest-world.ts';
import { type LiveSource, serveFolder } from '../harness/live-sources.ts';

/** This machine has more than one address of its own: one is allowed here, the other not. */
const ALLOWED = ['network:127.0.0.1/32'];
const ELSEWHERE = '127.0.0.2';
const FORBIDDEN = { code: 'SOURCE_FORBIDDEN', message: expect.stringContaining('sources.allow') };

let clips: ClipFolder;
let folder: LiveSource;
let ts: string;
const servers: Server[] = [];

const serve = async (answer: RequestListener, host = '127.0.0.1'): Promise<string> => {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return `http://${host}:${(server.address() as AddressInfo).port}`;
};

/** What a probe finds of it, as the ingest probes it. */
const look = async (text: string, allow: readonly string[] = ALLOWED) => {
  const { source, close } = await openAccess(sourceOf(text, text, 5_000), new SourcePolicy(allow), 5_000);
  const { signal } = new AbortController();
  try {
    return (await probe(source, { ffprobePath: 'ffprobe', openTimeoutMs: 5_000, videoStream: 0, signal })).facts;
  } finally {
    await close();
  }
};

beforeAll(async () => {
  clips = await clipFolder();
  ts = await clips.clip('clip.ts', ...testPicture('64x48', '10', 2));
  folder = await serveFolder(clips.path);
});
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});
afterAll(async () => {
  await folder?.stop();
  await clips?.remove();
});

/** A server that nobody may ask, and how often it was. */
const forbiddenServer = async () => {
  const asked: (string | undefined)[] = [];
  const url = await serve((request, response) => {
    asked.push(request.url);
    response.end();
  }, ELSEWHERE);
  return { url, asked };
};

test('HTTP is played through the relay as without it, over redirects that stay where they may be', async () => {
  await clips.clip('clip.mp4', ...testPicture('64x48', '10', 2, '-movflags', '+faststart'));
  const url = `${folder.url}/clip.mp4`;
  const moved = await serve((_, response) => void response.writeHead(302, { location: url }).end());
  const found = await look(url);
  expect(found).toMatchObject({ live: false, width: 64, height: 48, fps: '10' });
  expect(found).toEqual(await look(url, ['all']));
  expect(await look(moved)).toEqual(found);
});

test('a redirect to where nothing may be played is not followed', async () => {
  const { url, asked } = await forbiddenServer();
  const moved = await serve((_, response) => void response.writeHead(302, { location: `${url}/secret` }).end());
  await expect(look(moved)).rejects.toMatchObject(FORBIDDEN);
  expect(asked).toEqual([]);
});

test.each(['mmsh', 'rtmpt'])('%s, which comes by HTTP, is led nowhere else either', async (scheme) => {
  const { url, asked } = await forbiddenServer();
  const moved = await serve((_, response) => void response.writeHead(302, { location: `${url}/secret` }).end());
  await expect(look(moved.replace('http:', `${scheme}:`))).rejects.toMatchObject(FORBIDDEN);
  expect(asked).toEqual([]);
});

test('whatever comes by HTTP goes through the relay, and nothing else does', async () => {
  const proxied = async (scheme: string): Promise<boolean> => {
    const url = `${scheme}://127.0.0.1:9/live`;
    const { source, close } = await openAccess(sourceOf(url, url, 5_000), new SourcePolicy(ALLOWED), 5_000);
    await close();
    return source.proxy !== undefined;
  };
  for (const scheme of ['http', 'https', 'mmsh', 'rtmpt', 'rtmpte', 'rtmpts'])
    expect(await proxied(scheme), scheme).toBe(true);
  for (const scheme of ['rtsp', 'rtmp', 'mmst']) expect(await proxied(scheme), scheme).toBe(false);
});

test('a playlist leads neither there nor to a file of the machine', async () => {
  const { url, asked } = await forbiddenServer();
  const playlist = (segment: string): string =>
    `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n${segment}\n#EXT-X-ENDLIST\n`;
  await mkdir(join(clips.path, 'lists'));
  for (const [name, segment] of [
    ['there', `${url}/clip.ts`],
    ['file', `file://${ts}`],
    ['concat', `concat:${ts}`],
    ['subfile', `subfile,,start,0,end,0,,:${ts}`],
    ['data', 'data:video/mp2t;base64,AAAA'],
  ] as const)
    await writeFile(join(clips.path, 'lists', `${name}.m3u8`), playlist(segment));
  await expect(look(`${folder.url}/lists/there.m3u8`)).rejects.toMatchObject(FORBIDDEN);
  expect(asked).toEqual([]);
  for (const allow of [ALLOWED, ['all']])
    for (const name of ['file', 'concat', 'subfile', 'data'])
      await expect(look(`${folder.url}/lists/${name}.m3u8`, allow), name).rejects.toThrow();
});

test('a file that is a list of others is refused where not every file may be played', async () => {
  await writeFile(
    join(clips.path, 'list.m3u8'),
    '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nclip.ts\n#EXT-X-ENDLIST\n',
  );
  await expect(look(join(clips.path, 'list.m3u8'), [`files:${clips.path}`])).rejects.toMatchObject(FORBIDDEN);
  expect(await look(join(clips.path, 'list.m3u8'), ['files'])).toMatchObject({ width: 64 });
  expect(await look(ts, [`files:${clips.path}`])).toMatchObject({ width: 64 });
});

test('why a server cannot be reached is told through the relay as well', async () => {
  const url = await serve((_, response) => response.end());
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
  await expect(look(url)).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE', reason: 'refused' });
});

test('an ingest plays by default no file that a stream names, and says which key would let it', async () => {
  const world = await IngestWorld.open();
  try {
    await world.ingest({ SOURCES_ALLOW: '' });
    await world.play('spy', '/etc/passwd');
    const { state } = await world.until('spy', 'failed');
    expect(state).toMatchObject({ fault: FORBIDDEN });
    await world.play('own', 'http://127.0.0.1:9/a.m3u8', { mode: 'realtime' });
    expect((await world.until('own', 'failed')).state).toMatchObject({ fault: FORBIDDEN });
    await world.play('picture', 'lavfi:testsrc2=s=64x48:r=5', { mode: 'realtime' });
    await eventually('it plays', () => world.untilPlaying('picture'));
  } finally {
    await world.close();
  }
});
