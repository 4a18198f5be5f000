import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Assignable, assignmentOf } from './assignment.ts';

const item = (key: string, owner?: string, more: Partial<Assignable> = {}): Assignable => ({
  key,
  owner,
  movable: true,
  overdue: false,
  ...more,
});

test('what nobody alive holds goes to whoever holds the least, and all agree', () => {
  const items = [item('a', 'x'), item('b', 'x'), item('c'), item('d', 'dead'), item('e')];
  expect(assignmentOf('x', ['x', 'y'], items)).toEqual({ take: ['e'], giveBack: [] });
  expect(assignmentOf('y', ['x', 'y'], items)).toEqual({ take: ['c', 'd'], giveBack: [] });
});

test('one that holds two more than another gives one back, never one that cannot move', () => {
  const items = [item('a', 'x'), item('b', 'x'), item('c', 'x', { movable: false })];
  expect(assignmentOf('x', ['x', 'y'], items)).toEqual({ take: [], giveBack: ['b'] });
  expect(assignmentOf('x', ['x', 'y'], items.slice(0, 1))).toEqual({ take: [], giveBack: [] });
  const fixed = items.map((one) => ({ ...one, movable: false }));
  expect(assignmentOf('x', ['x', 'y'], fixed)).toEqual({ take: [], giveBack: [] });
});

test('what was left lying is taken by anybody', () => {
  const items = [item('a', 'x'), item('b', undefined, { overdue: true })];
  expect(assignmentOf('x', ['x', 'y'], items)).toEqual({ take: ['b'], giveBack: [] });
});

test('members that join and die end evenly loaded, with every stream held once', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 6 }), fc.nat(5), (streams, size, death) => {
      const owners = new Map<string, string>();
      const keys = Array.from({ length: streams }, (_, i) => `s${i}`);
      const settle = (live: readonly string[]): void => {
        for (let round = 0; round < 2 * streams + 2; round += 1)
          for (const self of live) {
            const { take, giveBack } = assignmentOf(
              self,
              live,
              keys.map((key) => item(key, owners.get(key))),
            );
            for (const key of take) owners.set(key, self);
            for (const key of giveBack) owners.delete(key);
          }
      };
      const all = Array.from({ length: size + 1 }, (_, i) => `m${i}`);
      const evenly = (live: readonly string[]): void => {
        const loads = live.map((id) => [...owners.values()].filter((owner) => owner === id).length);
        expect(loads.reduce((sum, load) => sum + load, 0)).toBe(streams);
        expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
      };
      settle(all.slice(0, 1));
      settle(all);
      evenly(all);
      const left = all.filter((_, i) => i !== death % all.length);
      settle(left);
      evenly(left);
    }),
    { numRuns: 100 },
  );
});
