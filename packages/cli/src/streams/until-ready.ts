/** Tries again what an installation that is on its way up, or is being replaced, cannot do yet. */

import { setTimeout as wait } from 'node:timers/promises';
import { type Fault, type FaultCode, toFault } from '@stream-infer/core/fault';

export type Patience = {
  /** 0: one try. */
  readonly limitMs: number;
  /** Told of each fault that is waited for, once in a row. */
  readonly onWait: (fault: Fault) => void;
  readonly pauseMs?: number;
};

/** What passes by itself: nobody is there yet, the bus is not, another writes, or the configuration has not arrived yet. */
const PASSING: readonly FaultCode[] = ['API_UNREACHABLE', 'API_FAILED', 'STREAM_CHANGED', 'CONFIG_UNKNOWN_ALGORITHM'];
const PAUSE_MS = 1_000;

export const passes = ({ code }: Fault): boolean => PASSING.includes(code);

/** Throws the last fault once the time is over, and any that does not pass at once. */
export async function untilReady<T>(
  action: () => Promise<T>,
  { limitMs, onWait, pauseMs = PAUSE_MS }: Patience,
): Promise<T> {
  const endAtMs = performance.now() + limitMs;
  let told = '';
  for (;;) {
    try {
      return await action();
    } catch (error) {
      const fault = toFault(error);
      if (!passes(fault) || performance.now() + pauseMs > endAtMs) throw fault;
      if (String(fault) !== told) onWait(fault);
      told = String(fault);
    }
    await wait(pauseMs);
  }
}
