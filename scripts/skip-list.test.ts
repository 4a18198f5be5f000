import { describe, expect, it } from 'vitest';
import { describeSkips, parseSkipList, skipFaults, skipReason } from './skip-list.ts';

const skip = (test: string, reason?: string) => ({ test, reason });

describe('skip list', () => {
  it('reads a test and why, and passes over comments and blank lines', () => {
    expect(parseSkipList('# a comment\n\na.test.ts > x # y  # no such device\n')).toEqual([
      skip('a.test.ts > x', 'y # no such device'),
    ]);
  });

  it('accepts a skip that is expected', () => {
    expect(skipFaults([skip('a > x', 'no camera')], [skip('a > x', 'no camera in CI')])).toEqual([]);
  });

  it('refuses a skip that is not expected', () => {
    expect(skipFaults([skip('a > x', 'no camera')], [])).toEqual(['skipped, and not in test/expected-skips: a > x']);
  });

  it('refuses an expected skip whose test ran', () => {
    expect(skipFaults([], [skip('a > x', 'why')])).toEqual(['in test/expected-skips, and not skipped: a > x']);
  });

  it('refuses an expected skip without a reason', () => {
    expect(skipFaults([skip('a > x')], [skip('a > x')])).toEqual(['in test/expected-skips without a reason: a > x']);
  });

  it('knows why: from the test itself, or from the end of its name or of its suite', () => {
    expect(skipReason('no camera', 'golden (needs media) > x')).toBe('no camera');
    expect(skipReason(undefined, 'golden (needs media) > x')).toBe('needs media');
    expect(skipReason(undefined, 'golden (needs media) > x (needs a GPU)')).toBe('needs a GPU');
    expect(skipReason(undefined, 'golden (fast) ones > x')).toBeUndefined();
  });

  it('lists skips under their reason', () => {
    expect(describeSkips([skip('a > x', 'no camera'), skip('b > y'), skip('c > z', 'no camera')])).toEqual([
      'skipped, no camera:',
      '  a > x',
      '  c > z',
      'skipped, no reason given:',
      '  b > y',
    ]);
  });
});
