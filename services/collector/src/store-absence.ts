/** Faults of a store that can be had again: what was asked of it is asked again later, and nothing ends for them. */

import { Fault, type FaultCode } from '@stream-infer/core/fault';

const ABSENCES: ReadonlySet<FaultCode> = new Set([
  'STORE_UNREACHABLE',
  'STORE_UNAUTHORIZED',
  'STORE_FULL',
  'TLS_REFUSED',
] as const);

export const isStoreAbsence = (error: unknown): error is Fault => error instanceof Fault && ABSENCES.has(error.code);
