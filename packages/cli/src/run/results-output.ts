/** Writes what a run computed: data by stream, algorithm and time key, or whole records one a line. */

import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { open, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Fault } from '@stream-infer/core/fault';
import type { CollectorClient, RunPlace } from './collector-client.ts';
import type { LiveLines } from './live-results.ts';
import { type OutputFormat, type OutputTarget, unwritable } from './output-target.ts';
import { standardOutput } from './standard-output.ts';

/** How records go out while streams play. What cannot be written again has its order for good. */
export type LiveMode =
  /** All are written at the end. */
  | 'none'
  /** They are written as they come, and at the end put in order. */
  | 'ordered-at-end'
  /** They are written as they come. */
  | 'as-they-come';

/** @param isRealtime whether some stream plays in realtime, so that its end is not to be waited for. */
export async function liveMode(target: OutputTarget, isRealtime: boolean): Promise<LiveMode> {
  if (target.kind === 'none' || target.format === 'json') return 'none';
  if (target.kind === 'file' && (await isRegular(target.path))) return 'ordered-at-end';
  return isRealtime ? 'as-they-come' : 'none';
}

const isRegular = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined))?.isFile() ?? true;

export type ResultsWriting = {
  readonly runs: readonly RunPlace[];
  readonly collector: Pick<CollectorClient, 'results' | 'recordLines'>;
  readonly mode: LiveMode;
  /** What was written while streams played. */
  readonly live: LiveLines | undefined;
};

/** Throws OUTPUT_UNWRITABLE or STORE_FAILED. */
export async function writeResults(target: OutputTarget, writing: ResultsWriting): Promise<void> {
  const { runs, collector, mode } = writing;
  if (target.kind === 'none' || mode === 'as-they-come') return;
  const chunks = resultChunks(target.format, runs, collector);
  if (target.kind === 'stdout') return writeTo(standardOutput(), 'standard output', chunks);
  if (mode === 'none') return writeTo(createWriteStream(target.path), target.path, chunks);
  await replaceLines(target.path, chunks, writing.live);
}

/** Puts the lines in place of those of the file in one step, unless they are the same: at every moment the file has whole lines. */
async function replaceLines(
  file: string,
  chunks: AsyncIterable<Uint8Array | string>,
  live: LiveLines | undefined,
): Promise<void> {
  // Where the path is a link, the file that it leads to is replaced.
  const path = await realpath(file).catch(() => file);
  const part = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}.part`);
  const mode = (await stat(path).catch(() => undefined))?.mode ?? 0o666;
  const opened = await open(part, 'wx', mode & 0o777).catch(() => undefined);
  // A folder that takes no new file may have one that can be written.
  if (!opened) return writeTo(createWriteStream(path), file, chunks);
  const hash = createHash('sha256');
  try {
    await writeTo(opened.createWriteStream(), file, hashed(chunks, hash));
    if (hash.digest('hex') !== live?.sha256) await rename(part, path);
  } finally {
    await rm(part, { force: true });
  }
}

async function* hashed(
  chunks: AsyncIterable<Uint8Array | string>,
  hash: { update(chunk: Uint8Array | string): unknown },
): AsyncGenerator<Uint8Array | string, void, void> {
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}

async function writeTo(sink: Writable, name: string, chunks: AsyncIterable<Uint8Array | string>): Promise<void> {
  await pipeline(chunks, sink).catch((error: unknown) => {
    throw error instanceof Fault ? error : unwritable(name, error);
  });
}

/**
 * Canonical JSON of {stream: {algorithm: {time key: data}}}: streams ascend by id, and each stream's part is taken from the
 * collector as it is. Or the records of one stream after the other.
 */
export async function* resultChunks(
  format: OutputFormat,
  runs: readonly RunPlace[],
  collector: Pick<CollectorClient, 'results' | 'recordLines'>,
): AsyncGenerator<Uint8Array | string, void, void> {
  if (format === 'ndjson') {
    for (const place of runs) yield* chunksOf(await collector.recordLines(place));
    return;
  }
  yield '{';
  const ascending = [...runs].sort((a, b) => (a.stream < b.stream ? -1 : 1));
  for (const [index, place] of ascending.entries()) {
    yield `${index === 0 ? '' : ','}${JSON.stringify(place.stream)}:`;
    yield* chunksOf(await collector.results(place));
  }
  yield '}\n';
}

async function* chunksOf(readable: Readable): AsyncGenerator<Uint8Array | string, void, void> {
  for await (const chunk of readable) yield chunk as Uint8Array | string;
}
