/** `stream-infer fetch`: whole or not at all, as the checksum says, from a server that may be away for a while. */

import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
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
