/**
 * The four services against a nats-server that none of them started, each a process of its own, without the command, and each as its own user, which
 * may do no more than it must, over TLS with a certificate of its own.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { openStreams } from '@stream-infer/bus/registry';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CertificateAuthority, certificateAuthority } from '../harness/certificates.ts';
import { streamInfer } from '../harness/command.ts';
import { eventually } from '../harness/eventually.ts';
import { startNatsServer, type TestNatsServer } from '../harness/nats-server.ts';
import { type ServiceName, type ServiceProcess, startService } from '../harness/service-process.ts';

const video = join(import.meta.dirname, '..', 'conformance', 'videos', 'counter30.mp4');
const NAMES: readonly ServiceName[] = ['ingest', 'scheduler', 'algo-runner', 'collector'];

let nats: TestNatsServer;
let bus: Bus;
let directory: string;
let authority: CertificateAuthority;
const services = new Map<ServiceName, ServiceProcess>();

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-alone-'));
  const configuration = join(directory, 'algorithms.yaml');
  await writeFile(configuration, 'algorithms:\n  - {name: stats, use: frame-stats, interval: 1}\n');
  const password = join(directory, 'password');
  await writeFile(password, 'h4mster\n');
  const { stdout: users } = await streamInfer(['bus', 'permissions']);
  authority = await certificateAuthority();
  const server = await authority.issue('nats');
  const tls = `tls { cert_file: "${server.cert}", key_file: "${server.key}", ca_file: "${authority.ca}", verify: true }\n`;
  nats = await startNatsServer({ configuration: tls + users.replaceAll(/\$[A-Z_]+_PASSWORD/g, 'h4mster') });
  const environment = {
    NATS_URL: nats.url,
    NATS_PASSWORD_FILE: password,
    NATS_CA: authority.ca,
    NATS_SERVER_NAME: 'nats',
    GRPC_CA: authority.ca,
    STREAM_INFER_CONFIG: configuration,
    STORE_PATH: join(directory, 'results.sqlite'),
    SOURCES_ALLOW: `files:${dirname(video)}`,
  };
  await Promise.all(
    NAMES.map(async (name) => {
      const { cert, key } = await authority.issue(name);
      const own = { NATS_USER: name, NATS_CERT: cert, NATS_KEY: key, GRPC_CERT: cert, GRPC_KEY: key };
      services.set(name, await startService(name, { ...environment, ...own }));
    }),
  );
  const { cert: natsCert, key: natsKey } = await authority.issue('operator');
  const tlsAccess = { natsCa: authority.ca, natsServerName: 'nats', natsCert, natsKey };
  const access = { natsUser: 'operator', natsPassword: 'h4mster', ...tlsAccess };
  bus = await connectBus({ url: nats.url, prefix: 'stream-infer', name: 'test', access });
});
afterAll(async () => {
  await Promise.all([...services.values()].map((service) => service.stop()));
  await bus?.close();
  await nats?.stop();
  await authority?.remove();
  await rm(directory, { recursive: true, force: true });
});

const http = (name: ServiceName, path: string): Promise<Response> =>
  fetch(`${services.get(name)?.addresses.http}${path}`);

describe('each service alone', () => {
  test.each(NAMES)('%s is live and ready and exports metrics', async (name) => {
    expect((await http(name, '/v2/health/live')).status).toBe(200);
    await eventually(`${name} is ready`, async () => (await http(name, '/v2/health/ready')).status === 200);
    const metrics = await (await http(name, '/metrics')).text();
    expect(metrics).toContain('stream_infer_');
    expect(metrics).toContain(`service="${name}"`);
    expect((await http(name, '/')).status).toBe(404);
  });

  test('a spec put into the registry is played, and its results come out of the API (N-4, N-5, G-1, F-6, R-4)', async () => {
    const streams = await openStreams(bus);
    await streams.put('lobby', {
      id: 'lobby',
      source: video,
      mode: 'offline',
      pixelFormat: 'gray',
      encoding: 'raw',
      position: '0',
      videoStream: 0,
      algorithms: [
        {
          name: 'stats',
          definition: 'stats',
          frameCount: 1,
          frameStep: 0,
          interval: '1',
          timeoutMs: 10_000,
          maxInFlight: 8,
          maxAttempts: 3,
        },
      ],
    });
    const api = services.get('collector')?.addresses.api;
    const ended = await eventually('the run has ended', async () => {
      const response = await fetch(`${api}/v1/streams/lobby`);
      const status = (await response.json()) as { state: string; end: { decoded: number; published: number } | null };
      return status.state === 'ended' && status;
    });
    expect(ended.end).toMatchObject({ decoded: 300, played: 300, published: 10, fault: null });
    const results = (await (await fetch(`${api}/v1/streams/lobby/results`)).json()) as Record<
      string,
      Record<string, unknown>
    >;
    expect(Object.keys(results.stats ?? {})).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9', '10']);
    await streams.delete('lobby');
    for (const service of services.values()) expect(service.log()).not.toMatch(/NATS_FORBIDDEN|TLS_REFUSED|h4mster/);
  });

  test.each(NAMES)('%s drains on SIGTERM and exits 0, with nothing on standard error but its log', async (name) => {
    const service = services.get(name) as ServiceProcess;
    expect(await service.stop()).toBe(0);
    for (const line of service.log().trim().split('\n')) expect(() => JSON.parse(line), line).not.toThrow();
  });
});
