/**
 * `stream-infer fetch URL FILE --sha256 HEX`: a model, or another file that an algorithm needs, brought to where several processes of a
 * machine share it.
 *
 * Invariants: FILE is either not there or whole and what its checksum says; whoever has it already asks nobody; any number of these at
 * once do each other no harm.
 */

import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { Fault } from '@stream-infer/core/fault';
import { redactUrl } from '@stream-infer/core/redact-url';
import type { FetchArguments } from '../fetch-arguments.ts';
import { type Answer, get } from '../http-get.ts';

/** Waits between attempts: what restarts is back within them, and what is gone is told before anybody loses patience. */
const WAITS_MS = [250, 1_000, 4_000, 8_000];
/** A server that says nothing for so long is not there. */
const SILENCE_LIMIT_MS = 30_000;
/** The value of the header `authorization`, for servers that want a token. */
const AUTHORIZATION = 'STREAM_INFER_FETCH_AUTHORIZATION';

/** Throws FETCH_FAILED, FETCH_MISMATCH or OUTPUT_UNWRITABLE. */
export async function fetchCommand({ url, file, sha256, json }: FetchArguments): Promise<number> {
  const path = resolve(file);
  const there = (await checksumOf(path)) === sha256;
  if (!there) await fetchWhole(new URL(url), path, sha256);
  const report = { file: path, sha256, fetched: !there };
  process.stdout.write(
    json
      ? `${JSON.stringify(report, null, 2)}\n`
      : `${file} is ${there ? 'there already' : 'fetched'}, as its checksum says\n`,
  );
  return 0;
}

/** Undefined where there is no file. */
async function checksumOf(path: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  return pipeline(createReadStream(path), hash).then(
    () => hash.digest('hex'),
    () => undefined,
  );
}

/** What another attempt may mend. */
class Passing extends Error {}

async function fetchWhole(url: URL, path: string, sha256: string): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    const part = `${path}.${randomUUID()}.part`;
    try {
      const received = await download(url, path, part);
      if (received !== sha256) throw mismatch(url, sha256, received);
      await writing(path, () => rename(part, path));
      return;
    } catch (error) {
      const waitMs = WAITS_MS[attempt];
      if (!(error instanceof Passing)) throw error;
      if (waitMs === undefined) throw failed(url, `${error.message}, ${attempt + 1} times in a row`, error);
      await wait(waitMs);
    } finally {
      await rm(part, { force: true });
    }
  }
}

/** Writes what the URL has, and tells its checksum. */
async function download(url: URL, path: string, part: string): Promise<string> {
  const file = await writing(path, async () => {
    await mkdir(dirname(part), { recursive: true });
    return open(part, 'wx', 0o644);
  });
  try {
    const hash = createHash('sha256');
    for await (const chunk of bytesOf(url)) {
      hash.update(chunk);
      await writing(path, () => file.writeFile(chunk));
    }
    await writing(path, () => file.sync());
    return hash.digest('hex');
  } finally {
    await file.close();
  }
}

/** Throws FETCH_FAILED, or Passing. */
async function* bytesOf(url: URL): AsyncGenerator<Uint8Array> {
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  try {
    const answer = await get(bare, { headers: authorization(url), silenceLimitMs: SILENCE_LIMIT_MS });
    if (answer.status !== 200) throw refusal(url, answer);
    yield* answer.body as AsyncIterable<Uint8Array>;
  } catch (error) {
    if (error instanceof Fault || error instanceof Passing) throw error;
    const { message } = error instanceof Error ? error : new Error(String(error));
    throw new Passing(message, { cause: error });
  }
}

function refusal(url: URL, { status, statusText, body }: Answer): Error {
  body.destroy();
  const answer = `it answers ${status} ${statusText}`.trim();
  return status >= 500 || status === 429 || status === 408 ? new Passing(answer) : failed(url, answer);
}

/** What the environment says; else the user and password of the URL. */
function authorization({ username, password }: URL): Readonly<Record<string, string>> {
  const given = process.env[AUTHORIZATION];
  if (given) return { authorization: given };
  if (username === '') return {};
  const plain = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { authorization: `Basic ${Buffer.from(plain).toString('base64')}` };
}

/** What the file system refuses no attempt mends. */
async function writing<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new Fault('OUTPUT_UNWRITABLE', `${path} cannot be written: ${problem}`, { cause: error });
  }
}

const failed = (url: URL, problem: string, cause?: unknown): Fault =>
  new Fault('FETCH_FAILED', `${redactUrl(url.href)} cannot be fetched: ${redactUrl(problem)}`, { cause });

const mismatch = (url: URL, wanted: string, received: string): Fault =>
  new Fault(
    'FETCH_MISMATCH',
    `${redactUrl(url.href)} is not the file that is wanted: its SHA-256 is ${received}, and not ${wanted}; look where it comes from, then mend the URL or the checksum`,
  );
