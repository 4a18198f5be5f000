/** A line of a service's log, as much of it as the command acts on (service-kit writes them). */

import { type Fault, type FaultCode, isFaultCode } from '@stream-infer/core/fault';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

export type LogLine = {
  readonly level: LogLevel;
  readonly message: string;
  readonly code: FaultCode | undefined;
  /** What else the line says, such as the stream. */
  readonly fields: Readonly<Record<string, string | number | boolean>>;
  /** By protocol; with the message `started`. */
  readonly addresses: Readonly<Record<string, string>> | undefined;
};

const LEVELS: readonly string[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] satisfies LogLevel[];

const isLevel = (value: unknown): value is LogLevel => typeof value === 'string' && LEVELS.includes(value);

/** Undefined where the line is no log line: a library's, or a user module's own print. */
export function parseLogLine(line: string): LogLine | undefined {
  if (!line.startsWith('{')) return undefined;
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  const { level, msg, code, addresses, time: _time, service: _service, ...fields } = value;
  if (!isLevel(level) || typeof msg !== 'string') return undefined;
  return {
    level,
    message: msg,
    code: typeof code === 'string' && isFaultCode(code) ? code : undefined,
    fields: Object.fromEntries(Object.entries(fields).filter(isScalarField)),
    addresses: isAddresses(addresses) ? addresses : undefined,
  };
}

/** What the system itself says of a process of its own that ended unasked. @param fault why it did. */
export const restartLine = (process: string, { message }: Fault): LogLine => ({
  ...{ level: 'warn', code: 'SERVICE_DIED', message: `${message}: it is started again` },
  ...{ fields: { process }, addresses: undefined },
});

const isScalarField = (field: [string, unknown]): field is [string, string | number | boolean] =>
  ['string', 'number', 'boolean'].includes(typeof field[1]);

const isAddresses = (value: unknown): value is Readonly<Record<string, string>> =>
  typeof value === 'object' && value !== null && Object.values(value).every((address) => typeof address === 'string');
