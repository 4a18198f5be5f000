/**
 * What a refusal of the server means. Told by `err_code` (D12): HTTP-like codes such as 503 stand for several faults.
 */

import { ErrorCode, NatsError } from 'nats';

const ERR_CODES = {
  10028: 'no-room',
  10047: 'no-room',
  10023: 'no-room',
  10077: 'full',
  10071: 'wrong-sequence',
  10059: 'stream-missing',
  10014: 'consumer-missing',
  10037: 'message-missing',
  10065: 'overlap',
} as const;

export type BusErrorKind =
  | (typeof ERR_CODES)[keyof typeof ERR_CODES]
  | 'timeout'
  | 'no-responders'
  | 'closed'
  | 'other';

/** Whether the server does not permit it. */
export const isDenied = (error: unknown): boolean =>
  error instanceof NatsError && error.code === ErrorCode.PermissionsViolation;

/** What kind of failure a thrown value of the client is. */
export function busErrorKind(error: unknown): BusErrorKind {
  if (!(error instanceof NatsError)) return 'other';
  const errCode = error.api_error?.err_code;
  if (errCode !== undefined && Object.hasOwn(ERR_CODES, errCode)) return ERR_CODES[errCode as keyof typeof ERR_CODES];
  if (error.code === 'TIMEOUT') return 'timeout';
  if (error.code === '503') return 'no-responders';
  if (error.code === '404') return 'message-missing';
  if (error.code === 'CONNECTION_CLOSED' || error.code === 'CONNECTION_DRAINING') return 'closed';
  return 'other';
}
