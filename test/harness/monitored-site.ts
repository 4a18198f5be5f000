/**
 * An installation that is watched: the four services, each at a port of its own, three runners, cameras that break, algorithms that do as they
 * are told, and a Prometheus that scrapes them.
 */

import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { eventually } from './eventually.ts';
import { freePorts } from './free-ports.ts';
import { startNatsServer, type TestNatsServer } from './nats-server.ts';
import { type Prometheus, type ScrapeTarget, startPrometheus } from './prometheus.ts';
import { CameraServer } from './rtsp-server.ts';
import { type ServiceName, type ServiceProcess, startService } from './service-process.ts';
import { tinyOnnx } from './tiny-onnx.ts';

const PREFIX = 'site';
const STREAMS = ['gate', 'yard', 'lobby'] as const;
/** Of the bus, as the collector is told. */
export const BUS_MEMORY_BYTES = 64 * 2 ** 20;

/** Does as the file of orders says, by its name: how long it takes, and whether it fails. */
const OBEDIENT = `
import { readFileSync } from 'node:fs';
export default class Obedient {
  async run(frames, { name, options }) {
    const { takesMs = 0, fails = false } = JSON.parse(readFileSync(options.orders, 'utf8'))[name] ?? {};
    if (takesMs > 0) await new Promise((resolve) => setTimeout(resolve, takesMs));
    if (fails) throw new Error('it was told to fail');
    return { n: frames.at(-1).n };
  }
}`;

/** The sum of each picture. */
const SUM = tinyOnnx({
  inputs: [{ name: 'x', shape: ['n', 1, 48, 64] }],
  outputs: [{ name: 'sum', shape: ['n', 1, 1, 1] }],
  nodes: [{ op: 'ReduceSum', inputs: ['x', 'axes'], outputs: ['sum'], attributes: { keepdims: 1 } }],
  constants: [{ name: 'axes', shape: [3], data: BigInt64Array.of(1n, 2n, 3n) }],
});

/** A process of the site. Runners are called by what they serve. */
export type Part = Exclude<ServiceName, 'algo-runner'> | 'steady' | 'tasks' | 'shaky';
const RUNNERS: Readonly<Partial<Record<Part, string>>> = { steady: 'steady', tasks: 'slow,failing', shaky: 'shaky' };
const PARTS: readonly Part[] = ['steady', 'tasks', 'shaky', 'scheduler', 'collector', 'ingest'];

export type Orders = Readonly<Record<string, { readonly takesMs?: number; readonly fails?: boolean }>>;

export class MonitoredSite {
  readonly bus: Bus;
  readonly nats: TestNatsServer;
  readonly cameras: CameraServer;
  readonly prometheus: Prometheus;
  readonly #directory: string;
  readonly #ports: ReadonlyMap<Part, number>;
  readonly #running = new Map<Part, ServiceProcess>();

  private constructor(
    made: Pick<MonitoredSite, 'bus' | 'nats' | 'cameras' | 'prometheus'>,
    directory: string,
    ports: ReadonlyMap<Part, number>,
  ) {
    this.bus = made.bus;
    this.nats = made.nats;
    this.cameras = made.cameras;
    this.prometheus = made.prometheus;
    this.#directory = directory;
    this.#ports = ports;
  }

  /** Everything runs, and no stream is registered. @param more targets that are not of the site. */
  static async start(rules: string, more: readonly ScrapeTarget[]): Promise<MonitoredSite> {
    const directory = await mkdtemp(join(tmpdir(), 'stream-infer-monitored-'));
    const nats = await startNatsServer();
    const bus = await connectBus({ url: nats.url, prefix: PREFIX, name: 'monitored-site' });
    const cameras = await CameraServer.start({ cameras: STREAMS.length, rate: 5, gop: 5 });
    const ports = new Map((await freePorts(PARTS.length)).map((port, at) => [PARTS[at] as Part, port]));
    const targets = [...ports.values()].map((port) => ({ port, labels: { namespace: 'vision', prefix: PREFIX } }));
    const prometheus = await startPrometheus([...targets, ...more], rules);
    const site = new MonitoredSite({ bus, nats, cameras, prometheus }, directory, ports);
    await site.#write();
    await Promise.all(PARTS.map((part) => site.startPart(part)));
    return site;
  }

  async #write(): Promise<void> {
    const orders = join(this.#directory, 'orders.json');
    await this.order({});
    await writeFile(join(this.#directory, 'obedient.mjs'), OBEDIENT);
    await writeFile(join(this.#directory, 'sum.onnx'), SUM);
    const obedient = (name: string, more = ''): string =>
      `  - {name: ${name}, use: ./obedient.mjs, interval: 2, maxStalenessMs: 4000, options: {orders: ${orders}}${more}}`;
    const lines = [
      'algorithms:',
      `  - {name: steady, use: onnx, interval: 2, maxStalenessMs: 4000, maxBatch: 4, options: {model: sum.onnx, inputs: [{channels: gray}]}}`,
      obedient('slow'),
      obedient('failing'),
      obedient('shaky'),
    ];
    await writeFile(join(this.#directory, 'site.yaml'), `${lines.join('\n')}\n`);
  }

  async startPart(part: Part): Promise<ServiceProcess> {
    const serve = RUNNERS[part];
    const service = await startService(serve === undefined ? (part as ServiceName) : 'algo-runner', {
      NATS_URL: this.nats.url,
      NATS_PREFIX: PREFIX,
      STREAM_INFER_CONFIG: join(this.#directory, 'site.yaml'),
      HTTP_PORT: String(this.#ports.get(part)),
      ...(serve !== undefined && { SERVE: serve }),
      ...(part === 'ingest' && {
        STALL_MS: '8000',
        FROZEN_AFTER_MS: '2000',
        BACKOFF_MAX_MS: '1000',
        OPEN_TIMEOUT_MS: '20000',
      }),
      ...(part === 'collector' && {
        STORE_PATH: join(this.#directory, 'results.sqlite'),
        RETENTION_BYTES: String(200_000),
        BUS_MEMORY_BYTES: String(BUS_MEMORY_BYTES),
        RESULTS_MAX_BYTES: String(2 ** 26),
      }),
      ...(part === 'scheduler' && { RESULTS_MAX_BYTES: String(2 ** 26) }),
    });
    this.#running.set(part, service);
    return service;
  }

  part(part: Part): ServiceProcess {
    const running = this.#running.get(part);
    if (running === undefined) throw new Error(`${part} does not run`);
    return running;
  }

  /** SIGKILL, and the wait for the end. */
  async killPart(part: Part): Promise<void> {
    const { process: child } = this.part(part);
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await exited;
  }

  async order(orders: Orders): Promise<void> {
    const file = join(this.#directory, 'orders.json');
    await writeFile(`${file}.new`, JSON.stringify(orders));
    await rename(`${file}.new`, file);
  }

  /** Every stream has each algorithm, and results of all. */
  async addStreams(): Promise<void> {
    for (const [camera, id] of STREAMS.entries()) {
      const body = JSON.stringify({
        id,
        source: this.cameras.url(camera),
        fps: 5,
        width: 64,
        height: 48,
        pixelFormat: 'gray',
      });
      const answer = await this.api('/v1/streams', {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' },
      });
      if (answer.status !== 201) throw new Error(`${id} is not registered: ${await answer.text()}`);
    }
    await eventually(
      'every algorithm has results on every stream',
      async () => {
        const counts = await this.prometheus.query('stream_infer_stored_results_total{outcome="success"} > 2');
        return counts.length === STREAMS.length * 4;
      },
      180_000,
    );
  }

  api(path: string, request: RequestInit = {}): Promise<Response> {
    return fetch(`${this.part('collector').addresses.api}${path}`, request);
  }

  async stop(): Promise<void> {
    await this.prometheus.stop();
    for (const service of this.#running.values()) {
      service.process.kill('SIGCONT');
      await service.stop();
    }
    await this.cameras.stop();
    await this.bus.close();
    await this.nats.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
