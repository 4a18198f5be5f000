import { expect, test } from 'vitest';
import { isTlsProblem, tlsProblem } from './tls-problem.ts';

const side = {
  peer: 'the NATS server',
  name: 'nats',
  settings: { name: 'NATS_SERVER_NAME', ca: 'NATS_CA', cert: 'NATS_CERT', key: 'NATS_KEY' },
};

test.each([
  [
    "Hostname/IP does not match certificate's altnames: Host: nats. is not in the cert's altnames: DNS:other",
    /for other names than nats \(.*DNS:other\): NATS_SERVER_NAME says which it must have$/,
  ],
  ['certificate has expired', /not valid now \(certificate has expired\): renew it/],
  ['self-signed certificate in certificate chain', /not trusted .*: name the certificates of its issuer in NATS_CA$/],
  ['unable to verify the first certificate', /not trusted/],
  ['read ECONNRESET', /may require a certificate, which NATS_CERT and NATS_KEY name$/],
])('%s', (said, problem) => {
  expect(tlsProblem(said, side)).toMatch(problem);
});

test('the files that are set are named', () => {
  const files = { ca: '/ca.crt', cert: '/tls.crt', key: '/tls.key' };
  const problem = (said: string): string => tlsProblem(said, { ...side, ...files });
  expect(problem('self-signed certificate')).toMatch(/: \/ca\.crt \(NATS_CA\) is not of its issuer$/);
  expect(problem('tlsv1 alert unknown ca')).toMatch(/may not trust \/tls\.crt \(NATS_CERT\)$/);
  expect(problem('error:0B080074:x509 certificate routines::key values mismatch')).toMatch(
    /^\/ca\.crt, \/tls\.crt, \/tls\.key are no certificates and key that belong together/,
  );
});

test('what has nothing to do with TLS is told apart', () => {
  expect(isTlsProblem('connect ECONNREFUSED 127.0.0.1:1')).toBe(false);
  expect(isTlsProblem("Error: Hostname/IP does not match certificate's altnames")).toBe(true);
});
