import { expect, test } from 'vitest';
import { IF_MATCH_PATTERN, isMet, parsePrecondition } from './precondition.ts';

test.each([
  [{}, true, true],
  [{ 'if-match': '"7"' }, true, false],
  [{ 'if-match': '"6"' }, false, false],
  [{ 'if-match': '"6" , "7"' }, true, false],
  [{ 'if-match': 'W/"7"' }, false, false],
  [{ 'if-match': '*' }, true, false],
  [{ 'if-none-match': '*' }, false, true],
  [{ 'if-match': '"7"', 'if-none-match': '*' }, false, false],
])('%j lets revision 7 be written over: %s, and a stream be made: %s', (headers, over, made) => {
  const precondition = parsePrecondition(headers);
  expect([isMet(precondition, 7), isMet(precondition, undefined)]).toEqual([over, made]);
});

test('an ETag is quoted, and several stand with commas', () => {
  const pattern = new RegExp(IF_MATCH_PATTERN);
  for (const text of ['*', '"7"', '"7","8"', 'W/"7", "x"']) expect(pattern.test(text), text).toBe(true);
  for (const text of ['', '7', '"7" "8"', '*,"7"', '!']) expect(pattern.test(text), text).toBe(false);
});
