/**
 * Which lines of the services' logs a run shows as they come: what the user can do something about, and nothing that the end of
 * the run tells anyway. Of an algorithm's own logger it shows more where LOG_LEVEL asks for it.
 */

import { FAULTS, type FaultCode } from '@stream-infer/core/fault';
import type { LogLevel, LogLine } from '../system/log-line.ts';
import { repeatedLines } from '../terminal/repeated-lines.ts';
import type { Screen } from '../terminal/screen.ts';
import { loggedFault } from './logged-fault.ts';
import { lostSources } from './lost-sources.ts';

export type LogDisplay = {
  onLog(line: LogLine): void;
  /** Whether this very line has been shown. */
  hasShown(text: string): boolean;
  /** `file:line:column` of the first throw with this code that a runner told of. @param definition of the algorithm. */
  placeOf(definition: string, code: FaultCode): string | undefined;
  /** Tells how many lines were held back. */
  flush(): void;
};

export type LogDisplayOptions = {
  /** Whether some stream has no end of its own, so that the end is no time to tell of failed invocations. */
  readonly live: boolean;
  /** The least severe line of an algorithm's own logger that is shown. */
  readonly algorithmLevel: LogLevel;
};

/** Least severe first. */
const LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

/**
 * Which lines of algorithms are shown, and what services are to log so that they can be.
 * @param asked LOG_LEVEL, or what the configuration has in its place; services say by an info that they have started.
 */
export function logLevels(asked: string | undefined): {
  readonly algorithmLevel: LogLevel;
  readonly serviceLevel: LogLevel;
} {
  const level = LEVELS.find((known) => known === asked) ?? 'warn';
  return { algorithmLevel: level, serviceLevel: level === 'trace' || level === 'debug' ? level : 'info' };
}

export function createLogDisplay(
  screen: Pick<Screen, 'line'>,
  { live, algorithmLevel }: LogDisplayOptions,
): LogDisplay {
  const places = new Map<string, string>();
  const shown = new Set<string>();
  const print = (text: string): void => {
    shown.add(text);
    screen.line(text);
  };
  const lines = repeatedLines(print);
  const sources = lostSources(print, lines.show);
  return {
    onLog(line) {
      const { algorithm, at } = line.fields;
      const failure = `${line.code} ${algorithm}`;
      if (at !== undefined && !places.has(failure)) places.set(failure, String(at));
      if (live && sources.isTold(line)) return;
      if (line.level !== 'warn' && line.level !== 'error') {
        if (algorithm !== undefined && LEVELS.indexOf(line.level) >= LEVELS.indexOf(algorithmLevel))
          screen.line(`${line.level}: ${withFields(line)}`);
        return;
      }
      if (line.code === undefined) lines.show(line.message, `warning: ${withFields(line)}`);
      else if (live || FAULTS[line.code].exitStatus > 1)
        lines.show(kindOf(line.code, line), String(loggedFault(line.code, line)));
    },
    hasShown: (text) => shown.has(text),
    placeOf: (definition, code) => places.get(`${code} ${definition}`),
    flush: lines.flush,
  };
}

/** Faults of one process, or one algorithm, are not held back over those of another. */
function kindOf(code: FaultCode, { fields }: LogLine): string {
  const culprit = fields.process ?? fields.algorithm;
  return culprit === undefined ? code : `${code} of ${culprit}`;
}

const withFields = ({ message, fields }: LogLine): string =>
  [message, ...Object.entries(fields).map(([name, value]) => `${name} ${value}`)].join(', ');
