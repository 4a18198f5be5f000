/** JSON logs through pino; pretty on a terminal. Credentials in URLs are redacted in every line (I8). */

import { redactUrl } from '@stream-infer/core/redact-url';
import { type Logger, pino, stdTimeFunctions } from 'pino';
import pretty from 'pino-pretty';

export type { Logger } from 'pino';

export type LoggerOptions = {
  readonly service: string;
  readonly level: string;
  readonly format: 'auto' | 'json' | 'pretty';
};

export function createLogger({ service, level, format }: LoggerOptions): Logger {
  const human = format === 'pretty' || (format === 'auto' && process.stderr.isTTY === true);
  const options = {
    level,
    base: { service },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    hooks: { streamWrite: redactUrl },
  };
  return human
    ? pino(options, pretty({ destination: 2, sync: true }))
    : pino(options, pino.destination({ dest: 2, sync: true }));
}
