/** The relay is asked by whatever a server or a playlist names, and answered by whoever is there: nothing of it ends the ingest. */

import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HttpRelay } from '../../services/ingest/src/http-relay.ts';

/** The machine has more than one address of its own: this one is forbidden. */
const ELSEWHERE = '127.0.0.2';

let relay: HttpRelay;
const servers: Server[] = [];

beforeAll(async () => {
  relay = await HttpRelay.open({ allows: (address) => address !== ELSEWHERE, timeoutMs: 2_000 });
});
afterAll(async () => {
  await relay.close();
  for (const server of servers) server.close();
});

/** A server that says this to whoever comes, and hangs up. */
async function says(text: string, host = '127.0.0.1'): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined).once('data', () => socket.end(text));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return (server.address() as AddressInfo).port;
}

/** What the relay answers to these bytes, until it hangs up. */
const asked = (bytes: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(new URL(relay.url).port), '127.0.0.1', () => socket.write(bytes, 'latin1'));
    socket.setEncoding('latin1').on('data', (text: string) => {
      answer += text;
    });
    socket.once('close', () => resolve(answer)).once('error', reject);
  });

const CONNECTED = 'HTTP/1.1 200 Connected\r\n\r\n';
const tunnel = (authority: string, bytes = ''): Promise<string> =>
  asked(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n${bytes}`);
const get = (port: number, path = '/'): Promise<string> =>
  asked(`GET http://127.0.0.1:${port}${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`);

test.each(['127.0.0.1:99999', '127.0.0.1:0', '127.0.0.1', '[::1', 'u:p@127.0.0.1:443'])(
  'a tunnel to %s is refused',
  async (authority) => {
    expect(await tunnel(authority)).toMatch(/^HTTP\/1\.1 400 /);
  },
);

test('a tunnel is made to where one may be, and to nowhere else', async () => {
  expect(await tunnel(`127.0.0.1:${await says('hello')}`, 'x')).toBe(`${CONNECTED}hello`);
  expect(await tunnel(`${ELSEWHERE}:${await says('hello', ELSEWHERE)}`, 'x')).toBe('');
  expect(await tunnel('a%b:443')).toBe('');
});

test.each([
  ['a status that is none', 'HTTP/1.1 000 what\r\n\r\n'],
  ['a control character in a header', 'HTTP/1.1 200 OK\r\nX-Name: a\u0001b\r\nContent-Length: 0\r\n\r\n'],
  ['no HTTP', '\u0000\u0001\u0002'],
])('a server that answers with %s is lost, and the next one is asked', async (_, answer) => {
  expect(await get(await says(answer))).not.toContain('200');
  expect(await get(await says('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'))).toMatch(/ok$/);
});

test('a path is asked for as it was written', async () => {
  const paths: string[] = [];
  const server = createServer((socket) => {
    socket.once('data', (bytes) => {
      paths.push(bytes.toString('latin1').split(' ')[1] ?? '');
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await get((server.address() as AddressInfo).port, '/a/../b|{c}?d=%7e');
  expect(paths).toEqual(['/a/../b|{c}?d=%7e']);
});
