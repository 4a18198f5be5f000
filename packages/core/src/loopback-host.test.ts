import { expect, test } from 'vitest';
import { isLoopbackHost } from './loopback-host.ts';

test.each(['localhost', 'LocalHost', '127.0.0.1', '127.255.3.4', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1'])(
  '%s is reached from this machine alone',
  (host) => expect(isLoopbackHost(host)).toBe(true),
);

test.each([
  '0.0.0.0',
  '::',
  '10.0.0.1',
  '128.0.0.1',
  '::2',
  '::ffff:10.0.0.1',
  // Names, whatever they look like: who answers to them is for others to say.
  '127.1',
  '127.0.0.999',
  '127.example.org',
  'localhost.example.org',
  '',
])('%j may be reached from elsewhere', (host) => expect(isLoopbackHost(host)).toBe(false));
