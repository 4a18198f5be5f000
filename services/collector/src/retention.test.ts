import { describe, expect, test } from 'vitest';
import { retentionCutoffMs, retentionStep, surplusBytes } from './retention.ts';

const DAY_MS = 86_400_000;
const NOW_MS = 1_000 * DAY_MS;
const state = { usedBytes: 5_000, oldestStoredAtMs: NOW_MS - 3 * DAY_MS };

describe('retention', () => {
  test('keeps everything without limits', () => {
    expect(retentionStep({ days: 0, bytes: 0 }, state, NOW_MS)).toEqual({ kind: 'none' });
    expect(retentionCutoffMs({ days: 0, bytes: 0 }, NOW_MS)).toBe(0);
  });

  test('removes what is older than its days, and nothing that is exactly as old', () => {
    expect(retentionStep({ days: 2.5, bytes: 0 }, state, NOW_MS)).toEqual({
      kind: 'age',
      beforeMs: NOW_MS - 2.5 * DAY_MS,
    });
    expect(retentionStep({ days: 3, bytes: 0 }, state, NOW_MS)).toEqual({ kind: 'none' });
  });

  test('removes the oldest above its bytes, and nothing at exactly its bytes', () => {
    expect(retentionStep({ days: 0, bytes: 4_999 }, state, NOW_MS)).toEqual({ kind: 'bytes' });
    expect(retentionStep({ days: 0, bytes: 5_000 }, state, NOW_MS)).toEqual({ kind: 'none' });
  });

  test('does what age asks for before what bytes do', () => {
    expect(retentionStep({ days: 1, bytes: 1 }, state, NOW_MS).kind).toBe('age');
    expect(retentionStep({ days: 30, bytes: 1 }, state, NOW_MS).kind).toBe('bytes');
  });

  test('has nothing to remove from an empty store, however small its bytes', () => {
    const empty = { usedBytes: 5_000, oldestStoredAtMs: undefined };
    expect(retentionStep({ days: 1, bytes: 1 }, empty, NOW_MS)).toEqual({ kind: 'none' });
  });

  test('gives space back beyond an eighth of what is in use', () => {
    expect(surplusBytes({ usedBytes: 800, fileBytes: 800 })).toBe(0);
    expect(surplusBytes({ usedBytes: 800, fileBytes: 900 })).toBe(0);
    expect(surplusBytes({ usedBytes: 800, fileBytes: 1_000 })).toBe(100);
  });
});
