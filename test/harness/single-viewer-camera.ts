/** A camera that one may watch at a time, as some do: MPEG-TS over HTTP, and 503 for whoever comes besides. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { spawnOwned } from '@stream-infer/service-kit/owned-process';

export type SingleViewerCamera = {
  readonly url: string;
  /** How often it has refused one. */
  readonly refused: number;
  close(): Promise<void>;
};

export async function startSingleViewerCamera(rate: number): Promise<SingleViewerCamera> {
  const source = ['-f', 'lavfi', '-i', `testsrc=size=64x48:rate=${rate}`];
  const encoder = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-g', String(rate)];
  let isWatched = false;
  let refused = 0;
  const server = createServer((_request, response) => {
    if (isWatched) {
      refused += 1;
      response.writeHead(503).end();
      return;
    }
    isWatched = true;
    const ffmpeg = spawnOwned('ffmpeg', ['-v', 'error', '-re', ...source, ...encoder, '-f', 'mpegts', '-'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    response.writeHead(200, { 'content-type': 'video/mp2t' });
    ffmpeg.stdout?.pipe(response);
    response.on('close', () => {
      isWatched = false;
      ffmpeg.kill('SIGKILL');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/live.ts`,
    get refused() {
      return refused;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
