/** Who may connect to the bus, and as whom: credentials and certificates against a real server. */

import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BusAccess, connectBus } from '@stream-infer/bus/bus';
import type { Fault } from '@stream-infer/core/fault';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Certificate, type CertificateAuthority, certificateAuthority } from '../harness/certificates.ts';
import { eventually } from '../harness/eventually.ts';
import { startNatsServer, type TestNatsServer } from '../harness/nats-server.ts';
import { jwtInstallation, userNkey } from '../harness/nkeys.ts';

let directory: string;
const servers: TestNatsServer[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-bus-access-'));
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await rm(directory, { recursive: true, force: true });
});

async function server(configuration: string, port?: number): Promise<TestNatsServer> {
  const started = await startNatsServer({ configuration, ...(port !== undefined && { port }) });
  servers.push(started);
  return started;
}

async function file(name: string, text: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

/** `connected`, or the fault. */
async function attempt(url: string, access: BusAccess = {}): Promise<string> {
  try {
    const bus = await connectBus({ url, prefix: 'test', name: 'test', access });
    await bus.close();
    return 'connected';
  } catch (error) {
    return String(error);
  }
}

describe('credentials', () => {
  test('a user comes with its password, out of the settings, a file or the URL; nobody else comes, and no password is told', async () => {
    const { url } = await server('authorization { users: [{user: ingest, password: h4mster}] }');
    const password = await file('password', 'h4mster\n');
    const wrong = await file('wrong', 'gu1neapig\n');
    expect(await attempt(url, { natsUser: 'ingest', natsPassword: 'h4mster' })).toBe('connected');
    expect(await attempt(url, { natsUser: 'ingest', natsPasswordFile: password })).toBe('connected');
    expect(await attempt(url.replace('//', '//ingest:h4mster@'))).toBe('connected');
    expect(await attempt(url)).toMatch(/^NATS_UNAUTHORIZED: the NATS server at nats:\/\/127\S+ refuses nobody: give/);
    expect(await attempt(url, { natsUser: 'ingest', natsPasswordFile: wrong })).toMatch(
      `refuses user ingest with the password of ${wrong}`,
    );
    const refused = await attempt(url, { natsUser: 'ingest', natsPassword: 'gu1neapig' });
    expect(refused).toMatch('NATS_UNAUTHORIZED: ');
    expect(refused).not.toContain('gu1neapig');
  });

  test('a token, or a seed of an nkey, of a file', async () => {
    const byToken = await server('authorization { token: h4mster }');
    expect(await attempt(byToken.url, { natsTokenFile: await file('token', 'h4mster\n') })).toBe('connected');
    expect(await attempt(byToken.url, { natsToken: 'no' })).toMatch('NATS_UNAUTHORIZED: ');
    const { seed, publicKey } = userNkey();
    const byNkey = await server(`authorization { users: [{nkey: ${publicKey}}] }`);
    expect(await attempt(byNkey.url, { natsNkey: await file('seed', seed) })).toBe('connected');
    const other = await file('other-seed', userNkey().seed);
    expect(await attempt(byNkey.url, { natsNkey: other })).toMatch(`refuses the seed of an nkey ${other}`);
  });

  test('a credentials file, of a server that knows its users by their JWTs', async () => {
    const { configuration, creds } = jwtInstallation();
    const { url } = await server(configuration);
    expect(await attempt(url, { natsCreds: await file('user.creds', creds) })).toBe('connected');
    expect(await attempt(url)).toMatch('NATS_UNAUTHORIZED: ');
  });

  test('a file that is not there, empty or something else, and two ways at once, are told before anything is tried', async () => {
    const url = 'nats://127.0.0.1:9';
    const missing = join(directory, 'nowhere');
    const empty = await file('empty', '\n');
    const garbage = await file('garbage', 'h4mster');
    expect(await attempt(url, { natsCreds: missing })).toBe(
      `CREDENTIALS_INVALID: ${missing} cannot be read: NATS_CREDS names it`,
    );
    expect(await attempt(url, { natsTokenFile: empty })).toBe(
      `CREDENTIALS_INVALID: ${empty} is empty: NATS_TOKEN_FILE names it`,
    );
    expect(await attempt(url, { natsCreds: garbage })).toBe(
      `CREDENTIALS_INVALID: ${garbage} is no credentials file: NATS_CREDS names it`,
    );
    expect(await attempt(url, { natsNkey: garbage })).toMatch(`${garbage} is no seed of an nkey`);
    expect(await attempt(url, { natsUser: 'a', natsToken: 'h4mster' })).toMatch(
      'NATS_USER and NATS_TOKEN are both set',
    );
    expect(await attempt(url, { natsPassword: 'h4mster' })).toMatch('a password of NATS is set, and no user');
  });

  test('a password that is replaced counts from the next connection on, and until then it is told who is refused', async () => {
    const first = await server('authorization { users: [{user: ingest, password: first}] }');
    const password = await file('rotated', 'first');
    const faults: Fault[] = [];
    const bus = await connectBus({
      url: first.url,
      prefix: 'test',
      name: 'test',
      access: { natsUser: 'ingest', natsPasswordFile: password },
      report: (fault) => faults.push(fault),
    });
    try {
      await first.stop();
      await server('authorization { users: [{user: ingest, password: second}] }', Number(new URL(first.url).port));
      await eventually('it is refused', () => faults.some(({ code }) => code === 'NATS_UNAUTHORIZED'));
      expect(bus.isConnected).toBe(false);
      await writeFile(password, 'second');
      await eventually('it is back', () => bus.isConnected);
      expect(String(faults)).toMatch(`refuses user ingest with the password of ${password}`);
    } finally {
      await bus.close();
    }
  });
});

describe('TLS', () => {
  let authority: CertificateAuthority;
  let other: CertificateAuthority;
  let own: Certificate;
  let url: string;
  beforeAll(async () => {
    [authority, other] = await Promise.all([certificateAuthority(), certificateAuthority()]);
    const [{ cert, key }, client] = await Promise.all([
      authority.issue('nats', 'nats.site'),
      authority.issue('ingest'),
    ]);
    own = client;
    const files = `cert_file: "${cert}", key_file: "${key}", ca_file: "${authority.ca}"`;
    ({ url } = await server(`tls { ${files}, verify: true }`));
  });
  afterAll(() => Promise.all([authority.remove(), other.remove()]));

  const access = (different: BusAccess = {}): BusAccess => ({
    natsCa: authority.ca,
    natsCert: own.cert,
    natsKey: own.key,
    natsServerName: 'nats',
    ...different,
  });

  test('the server has the name that we came for, and we a certificate that it trusts', async () => {
    expect(await attempt(url, access())).toBe('connected');
    expect(await attempt(url, access({ natsServerName: 'nats.site' }))).toBe('connected');
  });

  test('another name, an issuer that is not trusted on either side, and no certificate are refused, and each is told', async () => {
    const wrongName = await attempt(url, access({ natsServerName: 'results-db' }));
    expect(wrongName).toMatch(/^TLS_REFUSED: the NATS server has a certificate for other names than results-db \(/);
    expect(wrongName).toMatch('DNS:nats, DNS:nats.site): NATS_SERVER_NAME says which');
    const byAddress = await attempt(url, access({ natsServerName: undefined } as BusAccess));
    expect(byAddress).toMatch('other names than 127.0.0.1');
    expect(await attempt(url, access({ natsCa: other.ca }))).toMatch(
      new RegExp(`^TLS_REFUSED: .* not trusted .*: ${other.ca} \\(NATS_CA\\) is not of its issuer$`),
    );
    const stranger = await other.issue('ingest');
    expect(await attempt(url, access({ natsCert: stranger.cert, natsKey: stranger.key }))).toMatch(
      new RegExp(
        `^TLS_REFUSED: the NATS server ends the TLS connection .* may not trust ${stranger.cert} \\(NATS_CERT\\)$`,
      ),
    );
    expect(await attempt(url, { natsCa: authority.ca, natsServerName: 'nats' })).toMatch(
      /^TLS_REFUSED: the NATS server ends the TLS connection .* may require a certificate, which NATS_CERT and NATS_KEY name$/,
    );
    expect(await attempt(url, access({ natsKey: stranger.key }))).toMatch(
      /^TLS_REFUSED: .* are no certificates and key that belong together/,
    );
    expect(await attempt(url, { natsCert: own.cert })).toMatch('CREDENTIALS_INVALID: a certificate for NATS goes with');
  });

  test('a server that requires TLS is told of as such where nothing is set', async () => {
    expect(await attempt(url.replace('tls:', 'nats:'))).toMatch(/^TLS_REFUSED: .*NATS_CA/);
  });

  test('a server without TLS is not taken where it is asked for', async () => {
    const plain = await server('');
    expect(await attempt(plain.url, { natsCa: authority.ca })).toMatch(/^TLS_REFUSED: .* offers no TLS/);
    expect(await attempt(plain.url.replace('nats:', 'tls:'))).toMatch(/^TLS_REFUSED: .* offers no TLS/);
  });

  test('a certificate that is replaced counts from the next connection on', async () => {
    const [cert, key] = [join(directory, 'tls.crt'), join(directory, 'tls.key')];
    const old = await authority.issue('nats');
    await Promise.all([copyFile(old.cert, cert), copyFile(old.key, key)]);
    const configuration = `tls { cert_file: "${cert}", key_file: "${key}", ca_file: "${authority.ca}", verify: true }`;
    const first = await server(configuration);
    const [ours, ourKey] = [join(directory, 'our.crt'), join(directory, 'our.key')];
    await Promise.all([copyFile(own.cert, ours), copyFile(own.key, ourKey)]);
    const faults: Fault[] = [];
    const bus = await connectBus({
      url: first.url,
      prefix: 'test',
      name: 'test',
      access: access({ natsCert: ours, natsKey: ourKey }),
      report: (fault) => faults.push(fault),
    });
    try {
      await first.stop();
      await server(configuration.replace(authority.ca, other.ca), Number(new URL(first.url).port));
      await eventually('it is refused', () => faults.some(({ code }) => code === 'TLS_REFUSED'));
      const fresh = await other.issue('ingest');
      await Promise.all([copyFile(fresh.cert, ours), copyFile(fresh.key, ourKey)]);
      await eventually('it is back', () => bus.isConnected);
    } finally {
      await bus.close();
    }
  });
});
