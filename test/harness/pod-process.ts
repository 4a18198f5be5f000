/** The container of a pod as a process, its probes asked as a kubelet asks them. */

import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from './eventually.ts';
import type { Container, PodSpec, Probe } from './kubernetes-object.ts';

export type RunningPod = {
  readonly name: string;
  readonly address: string;
  /** All that it said. */
  log(): string;
  /** Resolves when its startup and then its readiness probe is answered; rejects with its log where it ends before. From then on its liveness is asked for. */
  ready(): Promise<void>;
  /** What a kubelet would have started it anew for: undefined as long as it lives by its liveness probe. */
  restartedFor(): string | undefined;
  /** Its exit status. */
  readonly ended: Promise<number | null>;
  /** What is to be waited for before it ends, then SIGTERM, and SIGKILL after the grace period. */
  stop(): Promise<number | null>;
};

/** As long as a startup probe takes. */
const READY_LIMIT_MS = 120_000;
/** More often than the manifest says: tests are short. */
const LIVENESS_MS = 1_000;

export function runningPod(name: string, address: string, child: ChildProcess, pod: PodSpec): RunningPod {
  const said = logOf(child);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [container] = pod.containers;
  const graceMs = 1_000 * (pod.terminationGracePeriodSeconds ?? 30);
  const ask = (probe: Probe | undefined): Promise<string> => answerOf(probe, container, address);
  const isAnswered = async (probe: Probe | undefined): Promise<boolean> => (await ask(probe)) === '';
  const preStopMs = 1_000 * (container?.lifecycle?.preStop?.sleep?.seconds ?? 0);
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  let failures = 0;
  let restartedFor: string | undefined;
  let watching: NodeJS.Timeout | undefined;
  const watch = async (): Promise<void> => {
    const probe = container?.livenessProbe;
    const answer = await ask(probe);
    // Asked again at once where it fails, so that as many in a row count as in the manifest.
    failures = answer === '' ? 0 : failures + 1;
    if (failures >= (probe?.failureThreshold ?? 3)) restartedFor ??= answer;
  };
  return {
    name,
    address,
    log: said,
    ended,
    async ready() {
      const failed = ended.then((status): never => {
        throw new Error(`${name} ended with ${status}: ${said()}`);
      });
      for (const probe of [container?.startupProbe, container?.livenessProbe, container?.readinessProbe]) {
        const asked = eventually(`${name} answers ${probe?.httpGet?.path}`, () => isAnswered(probe), READY_LIMIT_MS);
        await Promise.race([asked, failed]);
      }
      watching = setInterval(() => void watch(), LIVENESS_MS);
    },
    restartedFor: () => restartedFor,
    async stop() {
      clearInterval(watching);
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      if (isRunning()) await Promise.race([sleep(preStopMs), ended]);
      if (isRunning()) child.kill('SIGTERM');
      const status = await ended;
      clearTimeout(timer);
      return status;
    },
  };
}

export function logOf(child: ChildProcess): () => string {
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  return () => said;
}

/** Empty where it is good. */
async function answerOf(probe: Probe | undefined, container: Container | undefined, address: string): Promise<string> {
  if (probe?.httpGet === undefined) return '';
  const { path, port } = probe.httpGet;
  const number = container?.ports?.find((each) => each.name === port)?.containerPort;
  const url = `http://${address}:${number}${path}`;
  const signal = AbortSignal.timeout(1_000 * (probe.timeoutSeconds ?? 1));
  try {
    const answer = await fetch(url, { signal });
    return answer.ok ? '' : `${url}: ${answer.status} ${await answer.text()}`;
  } catch (error) {
    return `${url}: ${String(error)}`;
  }
}
