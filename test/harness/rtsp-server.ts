/** A real RTSP server (gst-rtsp-server of the distribution): one file to each client, or cameras that a test can break. */

import { type ChildProcess, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { spawnOwned } from '@stream-infer/service-kit/owned-process';

const PYTHON = '/usr/bin/python3';
const PROBE = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer";

/** Whether gst-rtsp-server and its Python binding are installed. */
export const hasRtspServer = spawnSync(PYTHON, ['-c', PROBE], { stdio: 'ignore' }).status === 0;

export type Credentials = { readonly user: string; readonly password: string };
export type RtspServer = { readonly url: string; stop(): Promise<void> };

/** Plays an H.264 mp4 file at its natural rate, once for each client that connects. */
export async function startRtspServer(file: string, credentials?: Credentials): Promise<RtspServer> {
  const server = await startProcess({ file, credentials: pairOf(credentials) });
  return { url: `rtsp://${userInfo(credentials)}127.0.0.1:${server.port}/live`, stop: () => server.kill() };
}

export type CameraServerOptions = {
  readonly cameras: number;
  readonly size?: readonly [width: number, height: number];
  readonly rate?: number;
  /** Frames from one key picture to the next. */
  readonly gop?: number;
  /** JPEG is not lossless. */
  readonly codec?: 'h264' | 'jpeg';
  /** One picture for all who watch: the next who comes begins its times anew for all of them. Default true. */
  readonly shared?: boolean;
};

/** Cameras with a moving picture on one host, which break as cameras do. They are numbered from 0. */
export class CameraServer {
  #options: Required<CameraServerOptions>;
  #server: ServerProcess;

  private constructor(options: Required<CameraServerOptions>, server: ServerProcess) {
    this.#options = options;
    this.#server = server;
  }

  static async start({
    cameras,
    size = [64, 48],
    rate = 10,
    gop = 10,
    codec = 'h264',
    shared = true,
  }: CameraServerOptions): Promise<CameraServer> {
    const options = { cameras, size, rate, gop, codec, shared };
    return new CameraServer(options, await startProcess(options));
  }

  url(camera: number, credentials?: Credentials): string {
    return `rtsp://${userInfo(credentials)}127.0.0.1:${this.#server.port}${path(camera)}`;
  }

  /** The server dies; its port refuses. */
  kill(): Promise<void> {
    return this.#server.kill();
  }

  /** After `kill`: it is back on its port, with every camera as at the start, or with what is different. */
  async restart(different: Partial<CameraServerOptions> = {}): Promise<void> {
    this.#options = { ...this.#options, ...different };
    this.#server = await startProcess({ ...this.#options, port: this.#server.port });
  }

  /** The whole server falls silent with its connections open, and new ones are not answered. */
  suspend(): void {
    this.#server.process.kill('SIGSTOP');
  }

  resume(): void {
    this.#server.process.kill('SIGCONT');
  }

  /** The camera's path is gone, and who watches it is cut off. */
  remove(camera: number): Promise<void> {
    return this.#server.obey('remove', path(camera));
  }

  restore(camera: number): Promise<void> {
    return this.#server.obey('restore', path(camera));
  }

  /** The camera's picture stands still, while frames go on. */
  setFrozen(camera: number, frozen: boolean): Promise<void> {
    return this.#server.obey('frozen', path(camera), frozen);
  }

  /** The camera sends nothing, while its connections stay. */
  setMuted(camera: number, muted: boolean): Promise<void> {
    return this.#server.obey('muted', path(camera), muted);
  }

  /** The camera's picture has another size, for those too who watch it. */
  resize(camera: number, size: readonly [width: number, height: number]): Promise<void> {
    return this.#server.obey('resized', path(camera), size);
  }

  /** Whoever asks from now on needs these; undefined: none. */
  setCredentials(credentials: Credentials | undefined): Promise<void> {
    return this.#server.obey('credentials', pairOf(credentials));
  }

  /** Idempotent. */
  stop(): Promise<void> {
    return this.#server.kill();
  }
}

const path = (camera: number): string => `/cam${camera}`;
const userInfo = (credentials?: Credentials): string =>
  credentials ? `${credentials.user}:${credentials.password}@` : '';
const pairOf = (credentials?: Credentials): [string, string] | null =>
  credentials ? [credentials.user, credentials.password] : null;

type ServerProcess = {
  readonly process: ChildProcess;
  readonly port: number;
  /** Resolves when the server has done it. */
  obey(...command: readonly unknown[]): Promise<void>;
  kill(): Promise<void>;
};

async function startProcess(config: object): Promise<ServerProcess> {
  const args = [join(import.meta.dirname, 'rtsp-server.py'), JSON.stringify(config)];
  const server = spawnOwned(PYTHON, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const { stdin, stdout } = server;
  if (!stdin || !stdout) throw new Error('the RTSP server has no pipes');
  stdin.on('error', () => undefined);
  const exited = once(server, 'exit');
  const said = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const line = async (): Promise<string> => {
    const { value, done } = await said.next();
    if (done) throw new Error(`the RTSP server ended with ${server.exitCode ?? server.signalCode}`);
    return value;
  };
  const port = Number(await line());
  let order: Promise<unknown> = Promise.resolve();
  return {
    process: server,
    port,
    obey(...command) {
      const done = order.then(async () => {
        stdin.write(`${JSON.stringify(command)}\n`);
        await line();
      });
      order = done.catch(() => undefined);
      return done;
    },
    async kill() {
      server.kill('SIGKILL');
      await exited;
    },
  };
}
