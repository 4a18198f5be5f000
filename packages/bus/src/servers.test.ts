import { expect, test } from 'vitest';
import { serversOf } from './servers.ts';

test.each([
  ['nats://127.0.0.1:4222', { servers: ['nats://127.0.0.1:4222'] }],
  ['a:1, nats://b:2', { servers: ['a:1', 'nats://b:2'] }],
  ['nats://me:secret@b:2', { servers: ['nats://b:2'], user: 'me', pass: 'secret' }],
  ['nats://me:p%40s:s@b:2,nats://me:p%40s:s@c:3', { servers: ['nats://b:2', 'nats://c:3'], user: 'me', pass: 'p@s:s' }],
  ['nats://me:p@ss%@b:2', { servers: ['nats://b:2'], user: 'me', pass: 'p@ss%' }],
  ['me:secret@b:2', { servers: ['b:2'], user: 'me', pass: 'secret' }],
  ['tls://t0ken@b:2', { servers: ['tls://b:2'], token: 't0ken' }],
])('%s', (url, servers) => {
  expect(serversOf(url)).toEqual(servers);
});
