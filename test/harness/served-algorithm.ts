/** A served algorithm whose instances and fetches are the test's own. */

import type { Frame } from '@stream-infer/algorithm';
import type { Fault } from '@stream-infer/core/fault';
import { Invocation } from '@stream-infer/proto/stream_infer/v1/invocation';
import { type BatchRun, ServedAlgorithm } from '../../services/algo-runner/src/served-algorithm.ts';
import type { Answer } from '../../services/algo-runner/src/task.ts';
import type { BatchOutcome } from '../../services/algo-runner/src/worker-messages.ts';

export const TIMES = { runUs: 5, stagesUs: {} };
export const answered = (windows = 1): BatchOutcome => ({
  kind: 'answered',
  answers: Array.from({ length: windows }, () => ({ kind: 'data', data: new Uint8Array([123, 125]) })),
  ...TIMES,
});
export const FAILED: BatchOutcome = {
  kind: 'failed',
  answer: { kind: 'fault', fault: { code: 'ALGORITHM_FAILED', message: 'no' } },
  ...TIMES,
};

/**
 * A served algorithm whose fetches and runs end when the test says so. A batch goes by the ids of its windows, with + between.
 * @param inAdvance windows that its instances take while all of them run one.
 */
export function served(concurrency: number, inAdvance = 0, { maxBatch = 1, maxDelayMs = 60_000 } = {}) {
  const fetching = new Map<string, PromiseWithResolvers<readonly Frame[]>>();
  const handed = new Map<string, (outcome: BatchOutcome) => void>();
  const limits = new Map<string, number>();
  const runs: BatchRun[] = [];
  const answers = new Map<string, Answer>();
  const place = (stream: string, n: number): string => `${stream}${n}`;
  const algorithm = new ServedAlgorithm({
    definition: 'faces',
    concurrency,
    maxBatch,
    maxDelayMs,
    timeoutMs: 777,
    instances: {
      hasRoom: () => handed.size < concurrency + inAdvance,
      isIdle: () => handed.size < concurrency,
      hand: (jobs, timeoutMs) => {
        const id = jobs.map(({ stream, n }) => place(stream, n)).join('+');
        const { promise, resolve } = Promise.withResolvers<BatchOutcome>();
        limits.set(id, timeoutMs);
        handed.set(id, resolve);
        const takeBack = (): void => {
          if ([...handed.keys()].indexOf(id) < concurrency) return;
          handed.delete(id);
          resolve({ kind: 'not-started' });
        };
        return { outcome: promise, takeBack };
      },
    },
    frames: ({ stream, n }) => {
      const fetch = Promise.withResolvers<readonly Frame[]>();
      fetching.set(place(stream, n), fetch);
      return fetch.promise;
    },
    answered: () => undefined,
    ran: (run) => runs.push(run),
  });
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return {
    algorithm,
    limits,
    runs,
    settled,
    fetching: () => [...fetching.keys()],
    handed: () => [...handed.keys()],
    outcomes: () =>
      [...answers].map(([id, { outcome }]) => {
        if (outcome.kind === 'data') return `${id} ok`;
        return `${id} ${outcome.fault.code}${outcome.notStarted ? ' not started' : ''}`;
      }),
    submit: (id: string, differs: Partial<Invocation> = {}) =>
      algorithm.submit(
        { ...Invocation.decode(new Uint8Array()), id, stream: id.slice(0, 1), n: Number(id.slice(1)), ...differs },
        (answer) => {
          if (answers.has(id)) throw new Error(`${id} was answered twice`);
          answers.set(id, answer);
        },
      ),
    fetched: async (id: string, fault?: Fault) => {
      const fetch = fetching.get(id);
      fetching.delete(id);
      if (fault) fetch?.reject(fault);
      else fetch?.resolve([]);
      await settled();
    },
    ran: async (id: string, outcome = answered(id.split('+').length)) => {
      const settle = handed.get(id);
      handed.delete(id);
      settle?.(outcome);
      await settled();
    },
  };
}
