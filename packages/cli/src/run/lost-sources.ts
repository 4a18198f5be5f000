/**
 * What is wrong with sources that may come back, each fault of one once for as long as it is away, and that it is back. What the bus does to
 * all of them at once is told once.
 */

import { FAULTS } from '@stream-infer/core/fault';
import type { LogLine } from '../system/log-line.ts';
import { loggedFault } from './logged-fault.ts';

const MOST_AWAY = 1_000;
/** Streams hear of an outage of the bus one after the other, and some when others play again. */
const SAME_OUTAGE_MS = 30_000;
/** The kind of the lines of streams that play again after the bus lost their frames: they come all at once. */
const PLAYS_AGAIN = 'streams that play again';

/** `isTold` says whether the line was of a source that is away, or back. */
export function lostSources(
  print: (text: string) => void,
  printRepeated: (kind: string, text: string) => void,
): { isTold(line: LogLine): boolean } {
  /** What was told of each. */
  const away = new Map<string, Set<string>>();
  /** When the bus was heard to fail so last. */
  const busTexts = new Map<string, number>();
  const toldOf = (source: string, text: string): void => {
    // Those that failed for good are not back, and an up lasts long.
    if (away.size >= MOST_AWAY) away.clear();
    if (busTexts.size >= MOST_AWAY) busTexts.clear();
    away.set(source, (away.get(source) ?? new Set()).add(text));
  };
  const isBack = (source: string, stream: string): void => {
    const texts = away.get(source);
    away.delete(source);
    if (texts === undefined) return;
    if ([...texts].every((text) => busTexts.has(text))) printRepeated(PLAYS_AGAIN, `stream ${stream}: it plays again`);
    else print(`stream ${stream}: its source is back`);
  };
  return {
    isTold(line) {
      const { code, message, fields } = line;
      const { stream, run, state } = fields;
      if (stream === undefined || run === undefined) return false;
      const source = `${stream} ${run}`;
      if (code === 'BUS_FAILED') {
        const text = `${code}: ${message}`;
        const nowMs = performance.now();
        if (nowMs - (busTexts.get(text) ?? -SAME_OUTAGE_MS) >= SAME_OUTAGE_MS) printRepeated(code, text);
        busTexts.set(text, nowMs);
        toldOf(source, text);
        return true;
      }
      if (code !== undefined && FAULTS[code].exitStatus === 3) {
        const text = String(loggedFault(code, line));
        if (!away.get(source)?.has(text)) print(text);
        toldOf(source, text);
        return true;
      }
      const isChange = code === undefined && message === 'source';
      if (isChange && state === 'playing') isBack(source, String(stream));
      return isChange;
    },
  };
}
