/** What a process that died said last, as far as it may tell why: neither what it logged of its work, nor where in Node.js it was. */

import { parseLogLine } from './log-line.ts';

/** Undefined where nothing of it may tell. @param lines of its standard error, oldest first. */
export function lastWords(lines: readonly string[]): string | undefined {
  return lines.map(wordsOf).findLast((words) => words !== undefined);
}

function wordsOf(line: string): string | undefined {
  const logged = parseLogLine(line);
  if (logged) return ['warn', 'error', 'fatal'].includes(logged.level) ? logged.message : undefined;
  const text = line.trim();
  return text === '' || /^(at |Node\.js v|[\^~]+$|[{}]$)/.test(text) ? undefined : text;
}
