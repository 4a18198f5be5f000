import { expect, test } from 'vitest';
import { HttpCredentials } from './http-credentials.ts';

// RFC 7616, 3.9.1.
const NONCE = '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v';
const OPAQUE = 'FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS';
const asked = (algorithm: string): string =>
  `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, nonce="${NONCE}", opaque="${OPAQUE}"`;
const mufasa = (): HttpCredentials =>
  new HttpCredentials('Mufasa', 'Circle of Life', () => 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ');

test.each([
  ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
  ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
])('a %s digest is that of the standard', (algorithm, response) => {
  const credentials = mufasa();
  expect(credentials.challenged(asked(algorithm), undefined)).toBe(true);
  const answer = credentials.authorization('GET', '/dir/index.html') ?? '';
  expect(answer).toContain(`response="${response}"`);
  expect(answer).toContain(`opaque="${OPAQUE}"`);
  expect(answer).toContain('nc=00000001');
  expect(credentials.authorization('GET', '/dir/index.html')).toContain('nc=00000002');
});

test('an old camera, which names no quality, is answered as RFC 2069 has it', () => {
  const credentials = new HttpCredentials('Mufasa', 'CircleOfLife');
  credentials.challenged('Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"', undefined);
  expect(credentials.authorization('GET', '/dir/index.html')).toContain('response="1949323746fe6a43ef61f9606e7febea"');
});

test('basic credentials are told once they are asked for', () => {
  const credentials = new HttpCredentials('Aladdin', 'open sesame');
  expect(credentials.authorization('GET', '/')).toBeUndefined();
  credentials.challenged('Basic realm="a, Digest nonce=1, camera"', undefined);
  expect(credentials.authorization('GET', '/')).toBe('Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==');
});

test('of several ways the strongest that is known is taken', () => {
  const credentials = mufasa();
  credentials.challenged(`Basic realm="x", ${asked('MD5')}, ${asked('SHA-256')}, ${asked('SHA-512-256')}`, undefined);
  expect(credentials.authorization('GET', '/')).toContain('algorithm=SHA-256,');
});

test('what was answered and is asked again is wrong, unless the nonce was old', () => {
  const credentials = mufasa();
  expect(credentials.challenged(asked('MD5'), 'Digest …')).toBe(false);
  expect(credentials.challenged(`${asked('MD5')}, stale=true`, 'Digest …')).toBe(true);
  expect(credentials.challenged('Negotiate', undefined)).toBe(false);
  expect(credentials.challenged('Digest realm="x", nonce="y", qop="auth-int"', undefined)).toBe(false);
});
