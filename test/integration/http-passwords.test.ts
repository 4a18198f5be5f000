/** An HTTP source with a password: its server is answered as it asks, and neither ffmpeg nor ffprobe is told of either (I8). */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { probeArguments } from '../../services/ingest/src/ffmpeg-command.ts';
import { probe } from '../../services/ingest/src/probe.ts';
import { sourceOf } from '../../services/ingest/src/source.ts';
import { openAccess } from '../../services/ingest/src/source-access.ts';
import { SourcePolicy } from '../../services/ingest/src/source-policy.ts';
import { certificateAuthority } from '../harness/certificates.ts';
import { type ClipFolder, clipFolder, testPicture } from '../harness/clips.ts';

const USER = 'watcher';
const PASSWORD = 'p@ss:w/rd';
const LABEL = 'the source in GATE_URL';
const NONCE = 'b7f1';

let clips: ClipFolder;
const servers: Server[] = [];

beforeAll(async () => {
  clips = await clipFolder();
  const segments = ['-g', '10', '-f', 'hls', '-hls_time', '1', '-hls_list_size', '0'];
  await clips.clip('clip.m3u8', ...testPicture('64x48', '10', 2, ...segments));
});
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});
afterAll(() => clips?.remove());

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

const ASKING = {
  basic: 'Basic realm="camera"',
  digest: `Digest realm="camera", qop="auth", nonce="${NONCE}"`,
} as const;

/** Whether the header is the right answer, as the server works it out. */
const isRight = {
  basic: (header: string): boolean => header === `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`,
  digest(header: string, path: string): boolean {
    const told = (name: string): string => new RegExp(`${name}="?([^",]+)`).exec(header)?.[1] ?? '';
    const secret = md5(`${USER}:camera:${PASSWORD}`);
    const wanted = md5(`${secret}:${NONCE}:${told('nc')}:${told('cnonce')}:auth:${md5(`GET:${path}`)}`);
    return told('uri') === path && told('response') === wanted;
  },
} as const;

/** The clips, for those who have the password and know the token; what was asked and answered. */
function camera(way: keyof typeof ASKING) {
  const given: number[] = [];
  const answer = (response: ServerResponse, status: number): ServerResponse => {
    given.push(status);
    return response.writeHead(status, status === 401 ? { 'www-authenticate': ASKING[way] } : {});
  };
  const listener: RequestListener = ({ url = '/', headers }, response) => {
    if (!isRight[way](headers.authorization ?? '', url)) return void answer(response, 401).end();
    const { pathname } = new URL(url, 'http://camera');
    readFile(join(clips.path, pathname.slice('/s3cret-path/'.length))).then(
      (bytes) => answer(response, 200).end(bytes),
      () => answer(response, 404).end(),
    );
  };
  return { given, listener };
}

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function look(url: string) {
  const { source, close } = await openAccess(sourceOf(url, LABEL, 5_000), new SourcePolicy(['all']), 5_000);
  const { signal } = new AbortController();
  try {
    const found = probe(source, { ffprobePath: 'ffprobe', openTimeoutMs: 5_000, videoStream: 0, signal });
    return { args: probeArguments(source, false).join(' '), found: await found.catch((error: unknown) => error) };
  } finally {
    await close();
  }
}

const secretUrl = (scheme: string, port: number, password = PASSWORD): string =>
  `${scheme}://${USER}:${encodeURIComponent(password)}@127.0.0.1:${port}/s3cret-path/clip.m3u8?token=t0ken`;

test.each(['basic', 'digest'] as const)(
  '%s credentials are given to the server, playlist and segments, and to nobody else',
  async (way) => {
    const { given, listener } = camera(way);
    const { args, found } = await look(secretUrl('http', await listen(createServer(listener))));
    expect(found).toMatchObject({ facts: { width: 64, height: 48 } });
    expect(args).not.toMatch(/watcher|p%40ss|p@ss|s3cret-path|t0ken|127\.0\.0\.1/);
    // Asked for once, given to what follows.
    expect(given[0]).toBe(401);
    expect(given.slice(1).length).toBeGreaterThan(1);
    expect(new Set(given.slice(1))).toEqual(new Set([200]));
  },
);

test('a camera with a certificate of its own making is asked over TLS', async () => {
  const authority = await certificateAuthority();
  const { cert, key } = await authority.issue('camera');
  const { listener } = camera('digest');
  const tls = createTlsServer({ key: await readFile(key), cert: await readFile(cert) }, listener);
  await authority.remove();
  const { args, found } = await look(secretUrl('https', await listen(tls)));
  expect(found).toMatchObject({ facts: { width: 64, height: 48 } });
  expect(args).not.toMatch(/watcher|s3cret-path|t0ken/);
});

test.each(['basic', 'digest'] as const)(
  'a wrong password by %s is told as such, after one try, without it',
  async (way) => {
    const { given, listener } = camera(way);
    const { found } = await look(secretUrl('http', await listen(createServer(listener)), 'wr0ng-one'));
    expect(found).toMatchObject({ code: 'SOURCE_UNAUTHORIZED', message: expect.stringContaining(LABEL) });
    expect(String(found)).not.toMatch(/wr0ng-one|watcher|t0ken|source\.invalid/);
    expect(given).toEqual([401, 401]);
  },
);
