/** Writes what a run computed: data by stream, algorithm and time key, or whole records one a line. */

import { createWriteStream } from 'node:fs';
import { type Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Fault } from '@stream-infer/core/fault';
import type { CollectorClient, RunPlace } from './collector-client.ts';
import { type OutputFormat, type OutputTarget, unwritable } from './output-target.ts';

/** Throws OUTPUT_UNWRITABLE or STORE_FAILED. */
export async function writeResults(
  target: OutputTarget,
  runs: readonly RunPlace[],
  collector: CollectorClient,
): Promise<void> {
  switch (target.kind) {
    case 'none':
      return;
    case 'stdout':
      return writeTo(standardOutput(), 'standard output', resultChunks('json', runs, collector));
    case 'file':
      return writeTo(createWriteStream(target.path), target.path, resultChunks(target.format, runs, collector));
  }
}

async function writeTo(sink: Writable, name: string, chunks: AsyncIterable<Uint8Array | string>): Promise<void> {
  await pipeline(chunks, sink).catch((error: unknown) => {
    throw error instanceof Fault ? error : unwritable(name, error);
  });
}

/** Standard output, which is not ours to end; a reader that goes away, such as `head`, has had enough. */
function standardOutput(): Writable {
  const { stdout } = process;
  return new Writable({
    write: (chunk: Uint8Array, _encoding, done) => {
      stdout.write(chunk, (error) => done(error && 'code' in error && error.code === 'EPIPE' ? null : error));
    },
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
