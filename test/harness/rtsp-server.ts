/** A real RTSP server (gst-rtsp-server of the distribution) that plays one file to each client. */

import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';

const PYTHON = '/usr/bin/python3';
const PROBE = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer";

/** Whether gst-rtsp-server and its Python binding are installed. */
export const hasRtspServer = spawnSync(PYTHON, ['-c', PROBE], { stdio: 'ignore' }).status === 0;

export type RtspServer = { readonly url: string; stop(): Promise<void> };

export async function startRtspServer(
  file: string,
  credentials?: { user: string; password: string },
): Promise<RtspServer> {
  const args = [join(import.meta.dirname, 'rtsp-server.py'), file];
  if (credentials) args.push(credentials.user, credentials.password);
  const server = spawn(PYTHON, args, { stdio: ['pipe', 'pipe', 'ignore'] });
  const exited = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  const port = await new Promise<string>((resolve, reject) => {
    server.stdout.setEncoding('utf8').once('data', (text: string) => resolve(text.trim()));
    server.once('exit', (status) => reject(new Error(`the RTSP server ended with ${status}`)));
  });
  const user = credentials ? `${credentials.user}:${credentials.password}@` : '';
  return {
    url: `rtsp://${user}127.0.0.1:${port}/live`,
    async stop() {
      server.stdin.end();
      server.kill('SIGKILL');
      await exited;
    },
  };
}
