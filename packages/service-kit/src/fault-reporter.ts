/** The one way in which a service tells of a fault that it survives: a log line and a counter together. */

import type { Fault } from '@stream-infer/core/fault';
import { Counter, type Registry } from 'prom-client';
import type { Logger } from './logger.ts';

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
  return (fault, fields = {}) => {
    faults.inc({ code: fault.code });
    const level = fault.exitStatus === 1 ? 'warn' : 'error';
    logger[level]({ ...fields, code: fault.code }, fault.message);
  };
}
