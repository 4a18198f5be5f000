import { describe, expect, test } from 'vitest';
import { FrameCache } from './frame-cache.ts';

/** A fetch that counts how often it is asked. */
function source(bytes: number) {
  const fetched: string[] = [];
  return {
    fetched,
    of: (key: string) => async () => {
      fetched.push(key);
      return new Uint8Array(bytes);
    },
  };
}

describe('a frame cache', () => {
  test('fetches a frame once, also for two that ask at the same time', async () => {
    const cache = new FrameCache(100);
    const { fetched, of } = source(10);
    const [first, second] = await Promise.all([cache.get('a', of('a')), cache.get('a', of('a'))]);
    expect(await cache.get('a', of('a'))).toBe(first);
    expect(second).toBe(first);
    expect(fetched).toEqual(['a']);
  });

  test('holds no more than its capacity; the least recently used goes first', async () => {
    const cache = new FrameCache(30);
    const { fetched, of } = source(10);
    for (const key of ['a', 'b', 'c', 'a', 'd']) await cache.get(key, of(key));
    expect(cache.bytes).toBe(30);
    fetched.length = 0;
    for (const key of ['a', 'c', 'd', 'b']) await cache.get(key, of(key));
    expect(fetched).toEqual(['b']);
  });

  test('does not keep a frame that is larger than all of it', async () => {
    const cache = new FrameCache(5);
    const { fetched, of } = source(10);
    await cache.get('a', of('a'));
    expect(cache.bytes).toBe(0);
    await cache.get('a', of('a'));
    expect(fetched).toEqual(['a', 'a']);
  });

  test('forgets a fetch that failed', async () => {
    const cache = new FrameCache(100);
    const gone = new Error('gone');
    await expect(cache.get('a', () => Promise.reject(gone))).rejects.toBe(gone);
    const { fetched, of } = source(10);
    await cache.get('a', of('a'));
    expect(fetched).toEqual(['a']);
  });
});
