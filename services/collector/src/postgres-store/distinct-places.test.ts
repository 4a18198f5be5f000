import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RANK, type StoreItem } from '../store-item.ts';
import { distinctPlaces } from './distinct-places.ts';

const item = fc.record({ n: fc.integer({ min: 1, max: 4 }), algorithm: fc.constantFrom('a', 'b'), end: fc.boolean() });

test('keep the order, hold each place once, and are as few as can be', () => {
  fc.assert(
    fc.property(fc.array(item, { maxLength: 30 }), (drawn) => {
      const items = drawn.map(({ n, algorithm, end }, sequence): StoreItem => {
        const place = { sequence, stream: 'cam', run: 'r1', text: '' };
        return end
          ? { kind: 'end', ...place }
          : { kind: 'result', ...place, algorithm, n, keyMs: n, rank: RANK.success };
      });
      const placeOf = (each: StoreItem): string => (each.kind === 'end' ? 'end' : `${each.algorithm}${each.n}`);
      const groups = distinctPlaces(items);
      expect(groups.flat()).toEqual(items);
      for (const [index, group] of groups.entries()) {
        expect(new Set(group.map(placeOf)).size).toBe(group.length);
        const next = groups[index + 1]?.[0];
        if (next) expect(group.map(placeOf)).toContain(placeOf(next));
      }
    }),
  );
});
