/**
 * Which lines of the services' logs a run shows as they come: what the user can do something about, and nothing that the end of
 * the run tells anyway.
 */

import { FAULTS, Fault } from '@stream-infer/core/fault';
import type { LogLine } from '../system/log-line.ts';
import { repeatedLines } from '../terminal/repeated-lines.ts';
import type { Screen } from '../terminal/screen.ts';

export type LogDisplay = {
  onLog(line: LogLine): void;
  /** Whether this very line has been shown. */
  hasShown(text: string): boolean;
  /** Tells how many lines were held back. */
  flush(): void;
};

/** @param live whether some stream has no end of its own, so that the end is no time to tell of failed invocations. */
export function createLogDisplay(screen: Pick<Screen, 'line'>, live: boolean): LogDisplay {
  const shown = new Set<string>();
  const lines = repeatedLines((text) => {
    shown.add(text);
    screen.line(text);
  });
  return {
    onLog(line) {
      if (line.level !== 'warn' && line.level !== 'error') return;
      if (line.code === undefined) lines.show(line.message, `warning: ${withFields(line)}`);
      else if (live || FAULTS[line.code].exitStatus > 1) lines.show(line.code, String(faultOf(line.code, line)));
    },
    hasShown: (text) => shown.has(text),
    flush: lines.flush,
  };
}

function faultOf(code: Fault['code'], { message, fields }: LogLine): Fault {
  const why = fields.why === undefined ? '' : `: ${fields.why}`;
  return faultOfStream(new Fault(code, `${message}${why}`), fields.stream === undefined ? '' : String(fields.stream));
}

/** The fault, with the stream named where its message does not. */
export const faultOfStream = (fault: Fault, stream: string): Fault =>
  fault.message.includes(stream) ? fault : new Fault(fault.code, `stream ${stream}: ${fault.message}`);

const withFields = ({ message, fields }: LogLine): string =>
  [message, ...Object.entries(fields).map(([name, value]) => `${name} ${value}`)].join(', ');
