/** An algo-runner as a process of its own beside a bus of its own, with algorithms that a test writes. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { startNatsServer } from './nats-server.ts';
import { RunnerCaller } from './runner-caller.ts';
import { type ServiceProcess, startService } from './service-process.ts';

export type TestRunner = {
  readonly bus: Bus;
  readonly natsUrl: string;
  /** Holds the configuration and its modules. */
  readonly directory: string;
  readonly process: ServiceProcess;
  readonly grpcAddress: string;
  /** The only number that matches in the metrics; NaN where none does. */
  metric(line: RegExp): Promise<number>;
  /** A conversation, closed when `talk` ends. */
  conversing<T>(talk: (caller: RunnerCaller) => Promise<T>): Promise<T>;
  /** A second process with the same configuration; killed with this one, where it still runs. */
  another(environment?: Readonly<Record<string, string>>): Promise<ServiceProcess>;
  stop(): Promise<void>;
};

export type TestAlgorithms = {
  /** YAML. */
  readonly configuration: string;
  /** By file name, beside the configuration. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
};

export async function startRunner({ configuration, files = {} }: TestAlgorithms): Promise<TestRunner> {
  const directory = await mkdtemp(join(tmpdir(), 'stream-infer-runner-'));
  await writeFile(join(directory, 'algorithms.yaml'), configuration);
  for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
  const nats = await startNatsServer();
  const bus = await connectBus({ url: nats.url, prefix: 'stream-infer', name: 'test' });
  const started: ServiceProcess[] = [];
  const another = async (environment: Readonly<Record<string, string>> = {}): Promise<ServiceProcess> => {
    const service = await startService('algo-runner', {
      NATS_URL: nats.url,
      STREAM_INFER_CONFIG: join(directory, 'algorithms.yaml'),
      ...environment,
    });
    started.push(service);
    return service;
  };
  const stopBus = async (): Promise<void> => {
    await bus.close();
    await nats.stop();
    await rm(directory, { recursive: true, force: true });
  };
  const runner = await another().catch(async (error: unknown) => {
    await stopBus();
    throw error;
  });
  return {
    bus,
    natsUrl: nats.url,
    directory,
    process: runner,
    grpcAddress: runner.addresses.grpc ?? '',
    async metric(line) {
      const text = await (await fetch(`${runner.addresses.http}/metrics`)).text();
      return Number(line.exec(text)?.[1] ?? Number.NaN);
    },
    conversing: (talk) => conversing(runner, talk),
    another,
    async stop() {
      await runner.stop();
      for (const { process: left } of started) if (left.exitCode === null) left.kill('SIGKILL');
      await stopBus();
    },
  };
}

/** A conversation with any runner, closed when `talk` ends. */
export async function conversing<T>(
  { addresses }: ServiceProcess,
  talk: (caller: RunnerCaller) => Promise<T>,
): Promise<T> {
  const caller = new RunnerCaller(addresses.grpc ?? '');
  try {
    return await talk(caller);
  } finally {
    caller.close();
  }
}

/** Tells what it was handed, and holds up its worker while the option `holdMs` says so. */
export const ECHO = `
export default class Echo {
  static version = 'echo-1';
  async init({ logger }) { logger.info('echo is ready', { really: true }); }
  async run(frames, { name, options, stream, n, key, inputs, resolvePath }) {
    if (options.holdMs) await new Promise((resolve) => setTimeout(resolve, options.holdMs));
    return {
      name, options, stream, n, key, inputs, resolved: resolvePath('model.bin'),
      frames: frames.map(({ data, ...frame }) => ({ ...frame, data: [...data.subarray(0, 6)], bytes: data.length })),
    };
  }
}`;
