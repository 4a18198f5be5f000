/** What the client and the server say when something fails, as faults that name the database and what to do. Pure. */

import { Fault, type FaultCode } from '@stream-infer/core/fault';
import { isTlsProblem, tlsProblem } from '@stream-infer/core/tls-problem';

export type StoreFaultContext = {
  /** host:port/database */
  readonly name: string;
  readonly user: string;
  readonly host: string;
  readonly ca: string | undefined;
};

/** Of SQLSTATEs, by their beginning. */
const STATES: readonly (readonly [state: string, code: FaultCode, advice: string])[] = [
  ['28', 'STORE_UNAUTHORIZED', 'set the user and the password of STORE_URL to what the database has'],
  ['42501', 'STORE_UNAUTHORIZED', 'grant it, or make the user the owner of the database'],
  ['3D000', 'STORE_FAILED', 'create it, or set STORE_URL to one that there is'],
  ['53100', 'STORE_FULL', 'give its disk room, or remove results: retentionDays and retentionBytes do'],
  ['53', 'STORE_UNREACHABLE', 'give it more connections or memory'],
  ['25006', 'STORE_UNREACHABLE', 'name the host that takes writes in STORE_URL, or all of them with commas'],
  ['25P02', 'STORE_UNREACHABLE', 'it is tried again'],
  ['25P03', 'STORE_UNREACHABLE', 'it is tried again'],
  ['55P03', 'STORE_UNREACHABLE', 'look for what holds the lock'],
  ['40', 'STORE_UNREACHABLE', 'it is tried again'],
  ['57', 'STORE_UNREACHABLE', 'it is tried again'],
  ['58', 'STORE_UNREACHABLE', "look at the server's log"],
  ['08', 'STORE_UNREACHABLE', 'look whether the server runs, and at STORE_URL'],
];

/** Whether a connection was refused to whom the settings name, or by what they verify the database with. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof Fault &&
  (error.code === 'TLS_REFUSED' || (isThrown(error.cause) && String(error.cause.code).startsWith('28')));

/** Codes of the system, and what the client says of a connection that has ended or does not come about. */
const SYSTEM = /^(?:ECONN|ENET|EHOST|ENOTFOUND|EAI_|ETIMEDOUT|EPIPE|EADDR)/;
const CLIENT =
  /^(?:Connection terminated|Client has encountered a connection error|Client was closed|Query read timeout|timeout expired|Cannot use a pool)/;

/** What the pool says where all of its connections are taken. */
const POOL_TAKEN = /^timeout exceeded when trying to connect/;

/** What is said of the server's certificate. */
const CERTIFICATE = /altnames|IP address mismatch|expired|not yet valid|self[- ]signed|unable to (?:get|verify)/i;
const SETTINGS = { name: 'the host in STORE_URL', ca: 'STORE_CA', cert: '', key: '' };

type Thrown = { readonly message: string; readonly code?: unknown };

const isThrown = (error: unknown): error is Thrown =>
  typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string';

/** Undefined where it is a defect: no fault of the database or of the way to it. */
export function storeFault(error: unknown, context: StoreFaultContext): Fault | undefined {
  if (error instanceof Fault) return error;
  // Of a host with several addresses: each was tried.
  const cause: unknown = error instanceof AggregateError ? error.errors[0] : error;
  if (!isThrown(cause)) return undefined;
  const said = cause.message.trim() || String(cause.code);
  const fault = (code: FaultCode, what: string, advice: string): Fault =>
    new Fault(code, `the database of the results at ${context.name} ${what} (${said}): ${advice}`, { cause: error });
  const code = typeof cause.code === 'string' ? cause.code : '';
  if (POOL_TAKEN.test(said))
    return fault(
      'STORE_UNREACHABLE',
      'has no connection free',
      'look for slow queries and locks in it, or ask less at once',
    );
  if (SYSTEM.test(code) || CLIENT.test(said)) {
    return fault('STORE_UNREACHABLE', 'does not answer', 'look whether the server runs, and at STORE_URL');
  }
  const state = STATES.find(([begin]) => code.length === 5 && code.startsWith(begin));
  if (state !== undefined) {
    const [, faultCode, advice] = state;
    const what = faultCode === 'STORE_UNAUTHORIZED' ? `refuses user ${context.user}` : 'cannot be used';
    return fault(faultCode, what, advice);
  }
  if (/does not support SSL/.test(said))
    return fault('TLS_REFUSED', 'speaks no TLS', 'give the server a certificate, or set sslmode=disable in STORE_URL');
  if (code.length === 5 || !(isTlsProblem(said) || isTlsProblem(code))) return undefined;
  if (!CERTIFICATE.test(said))
    return fault('TLS_REFUSED', 'ends the TLS connection', "look at the server's log, and at sslmode of STORE_URL");
  const { name, host, ca } = context;
  const problem = tlsProblem(said, {
    peer: `the database of the results at ${name}`,
    name: host,
    ca,
    settings: SETTINGS,
  });
  return new Fault('TLS_REFUSED', problem, { cause: error });
}
