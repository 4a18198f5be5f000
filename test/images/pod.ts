/**
 * A pod as a cluster with a closed network has it: containers that share one loopback, from which nothing else is reached. A container that
 * does nothing holds the network; what runs on this machine enters it by nsenter, which is for root.
 */

import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { startNatsServer, type TestNatsServer } from '../harness/nats-server.ts';
import type { ServiceName, ServiceProcess } from '../harness/service-process.ts';
import { type ContainerOptions, engine, idleContainer, startContainer } from './engine.ts';

export type HttpAnswer = { readonly status: number; readonly text: string };

export type Pod = {
  readonly nats: TestNatsServer;
  /** What containers are started with to be part of it. */
  readonly network: string;
  /** Asks a server in it. */
  call(url: string, request?: RequestInit): Promise<HttpAnswer>;
  stop(): Promise<void>;
};

const CALL = `
  const [url, request] = process.argv.slice(1);
  const answer = await fetch(url, JSON.parse(request));
  console.log(JSON.stringify({ status: answer.status, text: await answer.text() }));`;

export async function startPod(): Promise<Pod> {
  const { name, remove } = idleContainer({ network: 'none' });
  const pid = execFileSync(engine, ['inspect', '--format', '{{.State.Pid}}', name], { encoding: 'utf8' }).trim();
  const enter = ['nsenter', '--target', pid, '--net', '--'] as const;
  const nats = await startNatsServer({ through: enter }).catch((error: unknown) => {
    remove();
    throw error;
  });
  return {
    nats,
    network: `container:${name}`,
    async call(url, request = {}) {
      const [program, ...args] = [...enter, process.execPath, '--input-type=module', '--eval', CALL];
      const { stdout } = await promisify(execFile)(program, [...args, url, JSON.stringify(request)], {
        maxBuffer: 64 * 2 ** 20,
      });
      return JSON.parse(stdout) as HttpAnswer;
    },
    async stop() {
      await nats.stop();
      remove();
    },
  };
}

/** A container that is started again whenever it ends, as a kubelet does, without its pauses. */
export type KeptContainer = {
  /** With which statuses it ended. */
  readonly ends: readonly (number | null)[];
  /** Its logs so far, those of its lives before too. */
  log(): string;
  /** Of its present life. */
  readonly addresses: Readonly<Record<string, string>>;
  stop(): Promise<void>;
};

export async function keepContainer(name: ServiceName, options: ContainerOptions): Promise<KeptContainer> {
  const ends: (number | null)[] = [];
  const lives: ServiceProcess[] = [];
  let stopping = false;
  const live = async (): Promise<ServiceProcess> => {
    const life = await startContainer(name, options);
    lives.push(life);
    life.process.once('close', (status: number | null) => {
      ends.push(status);
      if (stopping) return;
      next = live();
      // That it could not is told of when it is stopped.
      next.catch(() => undefined);
    });
    return life;
  };
  let next = live();
  await next;
  return {
    ends,
    log: () => lives.map((life) => life.log()).join('\n'),
    get addresses() {
      return lives.at(-1)?.addresses ?? {};
    },
    async stop() {
      stopping = true;
      await (await next).stop();
    },
  };
}
