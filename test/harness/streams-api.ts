/** A collector over a nats-server of its own, for a test of the streams that it registers: no ingest plays them. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bucket } from '@stream-infer/bus/bucket';
import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { openRuns, openStreams } from '@stream-infer/bus/registry';
import type { RegisteredStream } from '@stream-infer/core/registered-stream';
import type { Run } from '@stream-infer/core/run';
import { startCollector, type TestCollector } from './collector.ts';
import { eventually } from './eventually.ts';
import { startNatsServer } from './nats-server.ts';

export type StreamAnswer = {
  readonly id: string;
  readonly run: string | null;
  readonly state: string;
  readonly results: number;
  readonly end: object | null;
  readonly definition: {
    readonly source?: string;
    readonly fps?: string;
    readonly algorithms: readonly object[];
  } | null;
  readonly owner: string | null;
};

export type ApiAnswer = {
  readonly status: number;
  readonly etag: string;
  readonly body: StreamAnswer & { readonly error: { readonly code: string; readonly message: string } };
};

export type StreamsApi = {
  readonly bus: Bus;
  readonly collector: TestCollector;
  readonly streams: Bucket<RegisteredStream>;
  readonly runs: Bucket<Run>;
  /** @param body sent as JSON, or as it is where it is text. */
  send(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<ApiAnswer>;
  /** Kills the nats-server. */
  loseBus(): Promise<void>;
  /** Empties the registry. */
  clear(): Promise<void>;
  stop(): Promise<void>;
};

export const LOBBY = { id: 'lobby', source: '/videos/lobby.mp4', fps: 10 };

/** Its installation has the algorithms `faces` and `picture`. */
export async function startStreamsApi(environment: Readonly<Record<string, string>> = {}): Promise<StreamsApi> {
  // Closed in the opposite order of opening, also where one does not start.
  await using opened = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'stream-infer-streams-api-'));
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  const server = opened.adopt(await startNatsServer(), (each) => each.stop());
  const file = join(directory, 'installation.yaml');
  await writeFile(
    file,
    'algorithms:\n  - {name: faces, use: frame-stats, interval: 1}\n  - {name: picture, use: frame-stats, interval: 10}\n',
  );
  const collector = await startCollector({
    NATS_URL: server.url,
    STORE_PATH: join(directory, 'results.sqlite'),
    STREAM_INFER_CONFIG: file,
    ...environment,
  });
  opened.defer(async () => void (await collector.stop()));
  const bus = opened.adopt(
    await connectBus({ url: server.url, prefix: 'stream-infer', name: 'streams-api-test' }),
    (each) => each.close(),
  );
  const [streams, runs] = await Promise.all([openStreams(bus), openRuns(bus)]);
  const owned = opened.move();
  return {
    bus,
    collector,
    streams,
    runs,
    async send(method, path, body, headers = {}) {
      const response = await fetch(`${collector.addresses.api}${path}`, {
        method,
        headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      return {
        status: response.status,
        etag: response.headers.get('etag') ?? '',
        body: text === '' ? undefined : JSON.parse(text),
      };
    },
    loseBus: server.stop,
    async clear() {
      for (const { key } of await streams.entries()) await streams.delete(key);
      await eventually('an empty registry', async () => {
        const { streams: left } = await collector.get<{ streams: StreamAnswer[] }>('/v1/streams');
        return left.every(({ definition }) => definition === null);
      });
    },
    stop: () => owned.disposeAsync(),
  };
}
