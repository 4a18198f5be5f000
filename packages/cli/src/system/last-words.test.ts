import { expect, test } from 'vitest';
import { lastWords } from './last-words.ts';

const logged = (level: string, msg: string): string => JSON.stringify({ level, msg, time: 't', service: 'ingest' });

test('what a process logged of its work tells nothing of its death, a warning and a crash do', () => {
  expect(lastWords([logged('info', 'started'), logged('info', 'source')])).toBeUndefined();
  expect(lastWords([logged('warn', 'the bus is slow'), logged('info', 'source')])).toBe('the bus is slow');
  const crash = ['/x.js:1', 'throw e', '^', '', 'RangeError: too long', '    at x (/x.js:1:2)', '', 'Node.js v24.1.0'];
  expect(lastWords([logged('warn', 'before'), ...crash])).toBe('RangeError: too long');
  expect(lastWords([])).toBeUndefined();
});
