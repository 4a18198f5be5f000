/**
 * The one way in which a service tells of a fault that it survives: a log line and a counter together. The same fault again within a
 * second is counted alone, so that who floods the bus with what is wrong does not flood the log.
 */

import type { Fault } from '@stream-infer/core/fault';
import { Counter, type Registry } from 'prom-client';
import type { Logger } from './logger.ts';

const QUIET_MS = 1_000;
const MOST_REMEMBERED = 1_000;

/** Log level `warn` for faults of one invocation or source (exit status 1), `error` for the rest. */
export function faultReporter(
  logger: Logger,
  metrics: Registry,
): (fault: Fault, fields?: Readonly<Record<string, unknown>>) => void {
  const faults = new Counter({
    name: 'stream_infer_faults_total',
    help: 'Faults that the service survived, by code.',
    labelNames: ['code'],
    registers: [metrics],
  });
  const toldAtMs = new Map<string, number>();
  return (fault, fields = {}) => {
    faults.inc({ code: fault.code });
    const line = JSON.stringify([fault.code, fault.message, fields]);
    const nowMs = performance.now();
    if (nowMs - (toldAtMs.get(line) ?? -QUIET_MS) < QUIET_MS) return;
    if (toldAtMs.size >= MOST_REMEMBERED) toldAtMs.clear();
    toldAtMs.set(line, nowMs);
    const level = fault.exitStatus === 1 ? 'warn' : 'error';
    logger[level]({ ...fields, code: fault.code }, fault.message);
  };
}
