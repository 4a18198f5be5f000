/**
 * Which lines of the services' logs a run shows as they come: what the user can do something about, and nothing that the end of
 * the run tells anyway. Of an algorithm's own logger it shows more where LOG_LEVEL asks for it.
 */

import { FAULTS, Fault, type FaultCode } from '@stream-infer/core/fault';
import type { LogLevel, LogLine } from '../system/log-line.ts';
import { repeatedLines } from '../terminal/repeated-lines.ts';
import type { Screen } from '../terminal/screen.ts';

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
  const sources = lostSources((text) => {
    shown.add(text);
    screen.line(text);
  });
  const lines = repeatedLines((text) => {
    shown.add(text);
    screen.line(text);
  });
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
        lines.show(kindOf(line.code, line), String(faultOf(line.code, line)));
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

const MOST_AWAY = 1_000;

/**
 * What is wrong with sources that may come back, each fault of one once for as long as it is away, and that it is back.
 * `isTold` says whether the line was one of these.
 */
function lostSources(print: (text: string) => void): { isTold(line: LogLine): boolean } {
  const away = new Map<string, Set<string>>();
  return {
    isTold(line) {
      const { stream, run, state } = line.fields;
      if (stream === undefined || run === undefined) return false;
      const source = `${stream} ${run}`;
      if (line.code !== undefined && FAULTS[line.code].exitStatus === 3) {
        const text = String(faultOf(line.code, line));
        const told = away.get(source) ?? new Set();
        if (!told.has(text)) print(text);
        // Those that failed for good are not back, and an up lasts long.
        if (away.size >= MOST_AWAY) away.clear();
        away.set(source, told.add(text));
        return true;
      }
      const isChange = line.code === undefined && line.message === 'source';
      if (isChange && state === 'playing' && away.delete(source)) print(`stream ${stream}: its source is back`);
      return isChange;
    },
  };
}

function faultOf(code: Fault['code'], { message, fields }: LogLine): Fault {
  const why = fields.why === undefined ? '' : `: ${fields.why}`;
  const place = fields.at === undefined ? '' : ` (at ${fields.at})`;
  return faultOfStream(
    new Fault(code, `${message}${why}${place}`),
    fields.stream === undefined ? '' : String(fields.stream),
  );
}

/** The fault, with the stream named where its message does not. */
export const faultOfStream = (fault: Fault, stream: string): Fault =>
  fault.message.includes(stream) ? fault : new Fault(fault.code, `stream ${stream}: ${fault.message}`);

const withFields = ({ message, fields }: LogLine): string =>
  [message, ...Object.entries(fields).map(([name, value]) => `${name} ${value}`)].join(', ');
