/** Small servers of live pictures, each in the way of one protocol. */

import { readdir, readFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { spawnOwned } from '@stream-infer/service-kit/owned-process';
import { eventually } from './eventually.ts';

export type LiveSource = { readonly url: string; stop(): Promise<void> };

/** The files of a folder over HTTP; others are not found. */
export async function serveFolder(folder: string): Promise<LiveSource> {
  return serve((request, response) => {
    const name = new URL(request.url ?? '/', 'http://host').pathname.slice(1);
    readFile(join(folder, name)).then(
      (bytes) => response.end(bytes),
      () => response.writeHead(404).end(),
    );
  });
}

/** Motion JPEG over HTTP, a part for each picture, as many a second as told; the pictures of the folder by name, round and round. */
export async function serveMjpeg(folder: string, rate: number): Promise<LiveSource> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.jpg')).sort();
  const pictures = await Promise.all(names.map((name) => readFile(join(folder, name))));
  return serve((_, response) => {
    response.writeHead(200, { 'content-type': 'multipart/x-mixed-replace;boundary=picture' });
    let sent = 0;
    const timer = setInterval(() => {
      const picture = pictures[sent % pictures.length] ?? Buffer.alloc(0);
      sent += 1;
      response.write(`--picture\r\nContent-Type: image/jpeg\r\nContent-Length: ${picture.byteLength}\r\n\r\n`);
      response.write(picture);
      response.write('\r\n');
    }, 1_000 / rate);
    response.on('close', () => clearInterval(timer));
  });
}

/** A file over RTMP at its natural rate, round and round, from its beginning for each client: an ffmpeg that listens for each. */
export async function serveRtmp(file: string): Promise<LiveSource> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((client) => {
    void relay(client, file, sockets).catch(() => client.destroy());
  });
  const port = await listen(server);
  return {
    url: `rtmp://127.0.0.1:${port}/live/cam`,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await close(server);
    },
  };
}

async function relay(client: Socket, file: string, sockets: Set<Socket>): Promise<void> {
  client.pause();
  const port = await freePort();
  const target = `rtmp://127.0.0.1:${port}/live/cam`;
  const args = ['-nostdin', '-v', 'error', '-re', '-stream_loop', '-1', '-i', file, '-c', 'copy'];
  const ffmpeg = spawnOwned('ffmpeg', [...args, '-f', 'flv', '-listen', '1', target], { stdio: 'ignore' });
  client.once('close', () => ffmpeg.kill('SIGKILL'));
  const far = await eventually('ffmpeg listens', () => connected(port));
  for (const [from, to] of [
    [client, far],
    [far, client],
  ] as const) {
    sockets.add(from);
    from.pipe(to);
    from.on('error', () => from.destroy());
    from.once('close', () => {
      sockets.delete(from);
      to.destroy();
    });
  }
}

const connected = (port: number): Promise<Socket | undefined> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket));
    socket.once('error', () => resolve(undefined));
  });

async function freePort(): Promise<number> {
  const server = createTcpServer();
  const port = await listen(server);
  await close(server);
  return port;
}

async function serve(answer: RequestListener): Promise<LiveSource> {
  const server = createServer(answer);
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      const closed = close(server);
      server.closeAllConnections();
      await closed;
    },
  };
}

const listen = (server: Server): Promise<number> =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));
const close = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
