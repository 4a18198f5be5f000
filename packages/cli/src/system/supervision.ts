/**
 * Keeps one process of the local system alive: started again when it ends unasked, after a wait that grows, and given up when it does not
 * hold. What the system is to go on with after a restart (addresses, names, stores) is its owner's to keep the same.
 */

import { setTimeout as wait } from 'node:timers/promises';
import { type Fault, toFault } from '@stream-infer/core/fault';
import type { ManagedProcess, ProcessEnd } from './managed-process.ts';

export type Life = {
  readonly process: ManagedProcess;
  /** Whether it came up: one that never did, and ended by itself, is not tried again. */
  hasStarted(): boolean;
  /**
   * Why it ended, told once it has. `mended`: `never`, another life would end the same way; `elsewhere`, what it lacked is being started again.
   */
  death(end: ProcessEnd): { readonly fault: Fault; readonly mended?: 'never' | 'elsewhere' };
};

export type SupervisionOptions = {
  /** Starts one life. Rejects with a fault, which is for good. */
  start(): Promise<Life>;
  /** It ended unasked and is started again. */
  onRestart(fault: Fault): void;
};

export type Supervised = {
  /** Resolves with a fault when it has ended for good without being told to. */
  readonly failed: Promise<Fault>;
  stop(graceMs: number): Promise<void>;
  kill(): void;
};

/** Waits between one life and the next. */
const WAITS_MS = [0, 250, 500, 1_000, 2_000, 5_000, 5_000, 5_000] as const;
/** One that lived for so long held: the next wait is the first again. */
const STEADY_MS = 10_000;

export function supervise({ start, onRestart }: SupervisionOptions): Supervised {
  const failed = Promise.withResolvers<Fault>();
  const stopping = new AbortController();
  const { signal } = stopping;
  let current: ManagedProcess | undefined;
  let hasStartedOnce = false;
  const live = async (): Promise<Fault | undefined> => {
    let restarts = 0;
    for (;;) {
      const startedAtMs = performance.now();
      const life = await start();
      current = life.process;
      if (signal.aborted) life.process.kill();
      const end = await life.process.ended;
      if (signal.aborted) return undefined;
      hasStartedOnce ||= life.hasStarted();
      const { fault, mended } = life.death(end);
      if (performance.now() - startedAtMs > STEADY_MS) restarts = 0;
      const waitMs = WAITS_MS[restarts];
      const neverCameUp = !hasStartedOnce && end.signal === null && mended !== 'elsewhere';
      if (mended === 'never' || neverCameUp || waitMs === undefined) return fault;
      restarts += 1;
      onRestart(fault);
      await wait(waitMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return undefined;
    }
  };
  const running = live().then(
    (fault) => fault && failed.resolve(fault),
    (error: unknown) => failed.resolve(toFault(error, 'SERVICE_DIED')),
  );
  return {
    failed: failed.promise,
    async stop(graceMs) {
      stopping.abort();
      await current?.stop(graceMs);
      await running;
    },
    kill() {
      stopping.abort();
      current?.kill();
    },
  };
}
