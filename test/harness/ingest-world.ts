/** A bus, ingest processes on it, and the scheduler's side of the conversation, for one test file. */

import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { announceReleased } from '@stream-infer/bus/announcements';
import type { Bucket, Entry } from '@stream-infer/bus/bucket';
import { type Bus, connectBus } from '@stream-infer/bus/bus';
import type { EndHeader, FrameHeader } from '@stream-infer/bus/frame-headers';
import { readFrames } from '@stream-infer/bus/frame-reader';
import { purgeFrameBuffer } from '@stream-infer/bus/frame-stream';
import { openRuns, openStreams } from '@stream-infer/bus/registry';
import { ensureResultStream } from '@stream-infer/bus/result-stream';
import type { Run, RunState } from '@stream-infer/core/run';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import { streamSpec } from './decoded-source.ts';
import { eventually } from './eventually.ts';
import { startNatsServer, type TestNatsServer } from './nats-server.ts';
import { type ServiceProcess, startService } from './service-process.ts';

export type PlayingRun = Run & { readonly state: Extract<RunState, { kind: 'playing' }> };

/** Everything that an epoch published. */
export type ReadEpoch = {
  readonly frames: FrameHeader[];
  readonly sequences: number[];
  readonly end: EndHeader['end'];
};

export class IngestWorld {
  readonly bus: Bus;
  readonly streams: Bucket<StreamSpec>;
  readonly runs: Bucket<Run>;
  readonly #server: TestNatsServer;
  readonly #ingests: ServiceProcess[] = [];

  private constructor(server: TestNatsServer, bus: Bus, streams: Bucket<StreamSpec>, runs: Bucket<Run>) {
    this.#server = server;
    this.bus = bus;
    this.streams = streams;
    this.runs = runs;
  }

  static async open(): Promise<IngestWorld> {
    const server = await startNatsServer();
    const bus = await connectBus({ url: server.url, prefix: 'test', name: 'ingest-test' });
    await ensureResultStream(bus, { maxBytes: 1 << 24 });
    return new IngestWorld(server, bus, await openStreams(bus), await openRuns(bus));
  }

  async close(): Promise<void> {
    await Promise.all(this.#ingests.map((ingest) => ingest.stop()));
    await this.bus.close();
    await this.#server.stop();
  }

  async ingest(environment: Readonly<Record<string, string>> = {}): Promise<ServiceProcess> {
    const started = await startService('ingest', { NATS_URL: this.#server.url, NATS_PREFIX: 'test', ...environment });
    this.#ingests.push(started);
    return started;
  }

  /** Puts a stream into the registry under its id. */
  async play(id: string, source: string, different: Partial<StreamSpec> = {}): Promise<void> {
    await this.streams.put(id, streamSpec(source, { id, ...different }));
  }

  /** The stream's run once it is in this state, or a later one of the same stream than `after`. */
  async until(id: string, kind: RunState['kind'], after?: string): Promise<Run> {
    const reached = async (): Promise<Run | undefined> => {
      const entry: Entry<Run> | undefined = await this.runs.get(id);
      return entry?.value.state.kind === kind && entry.value.run !== after ? entry.value : undefined;
    };
    return eventually(`${id} is ${kind}`, reached);
  }

  async untilPlaying(id: string, after?: string): Promise<PlayingRun> {
    return (await this.until(id, 'playing', after)) as PlayingRun;
  }

  /** Reads a run to its end marker, as a scheduler that needs nothing it has read. */
  async readToEnd(run: PlayingRun, release = true): Promise<ReadEpoch> {
    const { stream, epoch } = run;
    const stop = new AbortController();
    const frames: FrameHeader[] = [];
    const sequences: number[] = [];
    const options = { replica: 'test', stream, epoch, from: 1, signal: stop.signal };
    for await (const { sequence, header } of readFrames(this.bus, options)) {
      sequences.push(sequence);
      if (header.kind === 'end') {
        stop.abort();
        return { frames, sequences, end: header.end };
      }
      frames.push(header);
      if (release) await this.release(run, sequence);
    }
    throw new Error(`${stream} has no end marker`);
  }

  /** Purges and tells so, as the scheduler does. */
  async release(run: PlayingRun, through: number): Promise<void> {
    await purgeFrameBuffer(this.bus, run.state.frames, through + 1);
    announceReleased(this.bus, run.stream, { run: run.run, epoch: run.epoch, through });
  }
}

/** Process ids of the ffmpegs whose command lines hold this text. */
export async function ffmpegsOf(text: string): Promise<number[]> {
  const found: number[] = [];
  for (const pid of (await readdir('/proc')).map(Number).filter((id) => id > 0)) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (line.startsWith('ffmpeg\0') && line.includes(text)) found.push(pid);
  }
  return found;
}

/** What a value stays at: read until it has not changed for this long. */
export async function settled<T>(read: () => Promise<T>, quietMs: number): Promise<T> {
  let value = await read();
  for (;;) {
    await sleep(quietMs);
    const next = await read();
    if (next === value) return value;
    value = next;
  }
}
