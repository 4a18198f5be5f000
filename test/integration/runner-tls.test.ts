/** Who may call a runner, and which runner a scheduler calls: certificates on both sides, made by openssl, between real processes. */

import { readFileSync } from 'node:fs';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { AlgoRunnerServiceClient } from '@stream-infer/proto/stream_infer/v1/algo_runner';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Certificate, type CertificateAuthority, certificateAuthority } from '../harness/certificates.ts';
import { eventually } from '../harness/eventually.ts';
import { startNatsServer, type TestNatsServer } from '../harness/nats-server.ts';
import { type ServiceProcess, startService } from '../harness/service-process.ts';

let nats: TestNatsServer;
let directory: string;
let authority: CertificateAuthority;
let other: CertificateAuthority;
let scheduler: Certificate;
let stranger: Certificate;
let collector: Certificate;
/** The runner's own files, which are replaced. */
let own: { readonly ca: string; readonly cert: string; readonly key: string };
let runner: ServiceProcess;
const services: ServiceProcess[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-runner-tls-'));
  [nats, authority, other] = await Promise.all([startNatsServer(), certificateAuthority(), certificateAuthority()]);
  own = { ca: join(directory, 'ca.crt'), cert: join(directory, 'tls.crt'), key: join(directory, 'tls.key') };
  const [server, ...clients] = await Promise.all([
    authority.issue('algo-runner', 'runner.site'),
    authority.issue('scheduler'),
    other.issue('scheduler'),
    authority.issue('collector'),
  ]);
  [scheduler, stranger, collector] = clients as [Certificate, Certificate, Certificate];
  await replaceFiles(authority, server);
  const configuration = join(directory, 'algorithms.yaml');
  await writeFile(configuration, 'algorithms:\n  - {name: stats, use: frame-stats, interval: 1}\n');
  runner = await start('algo-runner', {
    STREAM_INFER_CONFIG: configuration,
    GRPC_CA: own.ca,
    GRPC_CERT: own.cert,
    GRPC_KEY: own.key,
  });
});
afterAll(async () => {
  await Promise.all(services.map((service) => service.stop()));
  await Promise.all([nats?.stop(), authority?.remove(), other?.remove()]);
  await rm(directory, { recursive: true, force: true });
});

async function start(name: 'scheduler' | 'algo-runner', environment: Record<string, string>): Promise<ServiceProcess> {
  const service = await startService(name, { NATS_URL: nats.url, ...environment });
  services.push(service);
  return service;
}

async function replaceFiles({ ca }: CertificateAuthority, { cert, key }: Certificate): Promise<void> {
  await Promise.all([copyFile(ca, own.ca), copyFile(cert, own.cert), copyFile(key, own.key)]);
}

/** `served`, or why not. */
async function call(ca?: CertificateAuthority, as?: Certificate, name = 'algo-runner'): Promise<string> {
  const secure =
    ca &&
    credentials.createSsl(readFileSync(ca.ca), as ? readFileSync(as.key) : null, as ? readFileSync(as.cert) : null);
  const client = new AlgoRunnerServiceClient(runner.addresses.grpc ?? '', secure ?? credentials.createInsecure(), {
    'grpc.ssl_target_name_override': name,
    'grpc.default_authority': name,
    'grpc.use_local_subchannel_pool': 1,
  });
  try {
    return await new Promise((resolve) => {
      client.describe({}, new Metadata(), { deadline: Date.now() + 10_000 }, (error: ServiceError | null) =>
        resolve(error ? error.message : 'served'),
      );
    });
  } finally {
    client.close();
  }
}

describe('a runner with certificates (G-16)', () => {
  test('serves who has a certificate of a scheduler', async () => {
    expect(await call(authority, scheduler)).toBe('served');
    expect(await call(authority, scheduler, 'runner.site')).toBe('served');
  });

  test.each<[string, () => Promise<string>, RegExp]>([
    ['no TLS', () => call(), /UNAVAILABLE/],
    ['no certificate', () => call(authority), /UNAVAILABLE/],
    ['a certificate of another issuer', () => call(authority, stranger), /UNAVAILABLE/],
    [
      'a certificate of another service',
      () => call(authority, collector),
      /PERMISSION_DENIED: the certificate of the caller is for DNS:collector, and scheduler may call/,
    ],
  ])('refuses who has %s', async (_what, calling, why) => {
    expect(await calling()).toMatch(why);
  });

  test('is not taken by who expects another issuer or name', async () => {
    expect(await call(other, scheduler)).toMatch(/UNAVAILABLE.*self[- ]signed certificate/);
    expect(await call(authority, scheduler, 'results-db')).toMatch(/UNAVAILABLE.*altnames/);
    expect(runner.log()).toMatch(
      /"code":"TLS_REFUSED".*127\.0\.0\.1:\d+ is refused: the certificate of the caller is for/,
    );
  });
});

describe('a scheduler', () => {
  const environment = (ca: CertificateAuthority, { cert, key }: Certificate): Record<string, string> => ({
    GRPC_CA: ca.ca,
    GRPC_CERT: cert,
    GRPC_KEY: key,
  });

  test('calls the runner that has the name, at whatever address', async () => {
    const { log } = await start('scheduler', environment(authority, scheduler));
    await eventually('it is connected', () => log().includes('runner is connected'));
    expect(log()).not.toContain('TLS_REFUSED');
  });

  test('that calls nobody says why: another name, issuer or service, a certificate that is not trusted, none at all', async () => {
    const cases: [different: Record<string, string>, why: string][] = [
      [{ ...environment(authority, scheduler), GRPC_SERVER_NAME: 'site-2' }, 'other names than site-2'],
      [environment(other, scheduler), `${other.ca} (GRPC_CA) is not of its issuer`],
      [environment(authority, stranger), `may not trust ${stranger.cert} (GRPC_CERT)`],
      [environment(authority, collector), 'GRPC_CLIENT_NAME of the runner says who'],
      [{}, 'speaks TLS alone, and this scheduler none: set GRPC_CA, GRPC_CERT and GRPC_KEY of the scheduler'],
    ];
    await Promise.all(
      cases.map(async ([different, why]) => {
        const { log, stop } = await start('scheduler', different);
        await eventually(why, () => log().includes('"code":"TLS_REFUSED"'));
        expect(log()).toContain(why);
        expect(log()).not.toContain('runner is connected');
        await stop();
      }),
    );
  });

  test('calls no runner in plain text, and does not start with half of the files', async () => {
    const halves = { GRPC_CA: own.ca, GRPC_CERT: scheduler.cert, GRPC_KEY: stranger.key };
    const [plain, { log, stop }] = await Promise.all([
      start('algo-runner', { STREAM_INFER_CONFIG: join(directory, 'algorithms.yaml') }),
      start('scheduler', environment(authority, scheduler)),
      expect(start('scheduler', { GRPC_CA: own.ca })).rejects.toThrow(
        /ended with 2.*"code":"CREDENTIALS_INVALID".*all of GRPC_CA/,
      ),
      expect(start('scheduler', halves)).rejects.toThrow(/"code":"CREDENTIALS_INVALID".*belong together/),
    ]);
    await eventually('it is told', () => log().includes('speaks no TLS, and this scheduler nothing else'));
    await Promise.all([plain.stop(), stop()]);
  });
});

test('files that are replaced count from the next connection on, and nothing restarts', async () => {
  await copyFile(stranger.key, own.key);
  await eventually('what does not belong together is told of', () => runner.log().includes('CREDENTIALS_INVALID'));
  expect(await call(authority, scheduler)).toBe('served');
  await replaceFiles(other, await other.issue('algo-runner'));
  await eventually('the new ones count', async () => (await call(other, stranger)) === 'served');
  expect(await call(authority, scheduler)).not.toBe('served');
});
