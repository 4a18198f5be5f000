/** `stream-infer fetch`: whole or not at all, as the checksum says, from a server that may be away for a while. */

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type CommandResult, streamInfer } from '../harness/command.ts';

const MODEL = Buffer.from('weights'.repeat(50_000));
const SHA256 = createHash('sha256').update(MODEL).digest('hex');

let directory: string;
let server: Server;
let url: string;
let requests: IncomingMessage[];
let answer: (response: ServerResponse, attempt: number) => void;

const whole = (response: ServerResponse): void => void response.end(MODEL);

beforeAll(async () => {
  server = createServer((request, response) => {
    requests.push(request);
    answer(response, requests.length);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.onnx`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-fetch-'));
  requests = [];
  answer = whole;
  return () => rm(directory, { recursive: true, force: true });
});

const fetched = (from = url, file = 'cache/model.onnx', sha256 = SHA256): Promise<CommandResult> =>
  streamInfer(['fetch', from, join(directory, file), '--sha256', sha256, '--json']);

describe('stream-infer fetch', () => {
  test('brings the file, readable by all, and asks nobody where it is there; one that is another it replaces', async () => {
    const { status, stdout, stderr } = await fetched();
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const file = join(directory, 'cache/model.onnx');
    expect(JSON.parse(stdout)).toEqual({ file, sha256: SHA256, fetched: true });
    expect((await readFile(file)).equals(MODEL)).toBe(true);
    expect((await stat(file)).mode & 0o777).toBe(0o644);

    expect(JSON.parse((await fetched()).stdout)).toMatchObject({ fetched: false });
    expect(requests).toHaveLength(1);

    await writeFile(file, 'of yesterday');
    expect(JSON.parse((await fetched()).stdout)).toMatchObject({ fetched: true });
    expect((await readFile(file)).equals(MODEL)).toBe(true);
    expect(await readdir(join(directory, 'cache'))).toEqual(['model.onnx']);
  });

  test('leaves nothing of a file that is not the one wanted', async () => {
    answer = (response) => void response.end('something else');
    const { status, stderr } = await fetched();
    expect(stderr).toContain(`FETCH_MISMATCH: ${url} is not the file that is wanted: its SHA-256 is`);
    expect(status).toBe(2);
    expect(requests).toHaveLength(1);
    expect(await readdir(join(directory, 'cache'))).toEqual([]);
  });

  test('tries again where the server is busy, or the line breaks in the middle', async () => {
    answer = (response, attempt) => {
      if (attempt === 1) response.writeHead(503).end();
      else if (attempt === 2)
        response.writeHead(200, { 'content-length': MODEL.length }).write(MODEL.subarray(0, 1000), () => {
          response.destroy();
        });
      else whole(response);
    };
    expect((await fetched()).status).toBe(0);
    expect(requests).toHaveLength(3);
    expect((await readFile(join(directory, 'cache/model.onnx'))).equals(MODEL)).toBe(true);
  });

  test('brings a file whole from a server that closes the connection behind it, faster than it is written', async () => {
    const large = Buffer.alloc(16 * 2 ** 20, 'weights');
    const closing = createSocketServer((socket) => {
      socket
        .on('error', () => undefined)
        .once('data', () => {
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${large.length}\r\nConnection: close\r\n\r\n`);
          socket.end(large);
        });
    }).listen(0, '127.0.0.1');
    await once(closing, 'listening');
    try {
      const from = `http://127.0.0.1:${(closing.address() as AddressInfo).port}/model.onnx`;
      const sha256 = createHash('sha256').update(large).digest('hex');
      // Whether the end comes while something waits is a matter of chance.
      for (let attempt = 1; attempt <= 10; attempt += 1) {
        expect(await fetched(from, `${attempt}.onnx`, sha256)).toMatchObject({ stderr: '', status: 0 });
      }
    } finally {
      closing.close();
    }
  });

  test('follows where it is sent, and takes the password to no other server', async () => {
    const other = createServer((request, response) => {
      requests.push(request);
      whole(response);
    }).listen(0, '127.0.0.1');
    await once(other, 'listening');
    try {
      const elsewhere = `http://127.0.0.1:${(other.address() as AddressInfo).port}/mirror`;
      answer = (response, attempt) =>
        void response.writeHead(302, { location: attempt === 1 ? '/moved' : elsewhere }).end();
      expect(await fetched(url.replace('//', '//user:password@'))).toMatchObject({ stderr: '', status: 0 });
      expect(requests.map(({ url: path }) => path)).toEqual(['/model.onnx', '/moved', '/mirror']);
      expect(requests.map(({ headers }) => headers.authorization !== undefined)).toEqual([true, true, false]);
    } finally {
      other.close();
    }
  });

  test('takes a no at once, and keeps the password to itself', async () => {
    answer = (response) => void response.writeHead(403).end();
    const { status, stdout, stderr } = await fetched(url.replace('//', '//user:pass%20word@'));
    expect(stderr).toContain('FETCH_FAILED');
    expect(stderr).toContain('it answers 403 Forbidden');
    expect(stderr + stdout).not.toContain('word');
    expect(status).toBe(4);
    expect(requests.map(({ headers }) => headers.authorization)).toEqual([
      `Basic ${Buffer.from('user:pass word').toString('base64')}`,
    ]);
  });

  test('several at once bring one whole file', async () => {
    const results = await Promise.all([fetched(), fetched(), fetched()]);
    expect(results.map(({ status }) => status)).toEqual([0, 0, 0]);
    expect((await readFile(join(directory, 'cache/model.onnx'))).equals(MODEL)).toBe(true);
    expect(await readdir(join(directory, 'cache'))).toEqual(['model.onnx']);
  });

  test('says where it cannot write', async () => {
    await mkdir(join(directory, 'a-folder'));
    const { status, stderr } = await fetched(url, 'a-folder');
    expect(stderr).toMatch(/OUTPUT_UNWRITABLE: .*a-folder cannot be written: EISDIR/);
    expect(status).toBe(4);
  });
});
