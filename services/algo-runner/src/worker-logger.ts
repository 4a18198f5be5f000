/** The logger that an algorithm is handed: its lines leave the worker thread as messages and are written by the runner. */

import type { Logger } from '@stream-infer/algorithm';
import { thrownMessage } from './stack-place.ts';
import type { LogLevel } from './worker-messages.ts';

type Write = (level: LogLevel, message: string, fields: Record<string, unknown>) => void;

export function createWorkerLogger(write: Write): Logger {
  const at =
    (level: LogLevel) =>
    (message: string, fields: Record<string, unknown> = {}): void => {
      try {
        write(level, message, fields);
      } catch (error) {
        // A field that cannot leave the thread, such as a function, costs the fields and not the line.
        write(level, message, { fieldsLost: thrownMessage(error) });
      }
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
