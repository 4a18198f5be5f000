import { Fault } from '@stream-infer/core/fault';
import { describe, expect, test } from 'vitest';
import { served } from '../../../test/harness/served-algorithm.ts';

describe('a served algorithm', () => {
  test('fetches the next window while one runs, and no more than that', async () => {
    const faces = served(1);
    for (const id of ['a1', 'a2', 'a3', 'a4']) faces.submit(id);
    expect(faces.fetching()).toEqual(['a1', 'a2']);
    await faces.fetched('a1');
    await faces.fetched('a2');
    expect(faces.handed()).toEqual(['a1']);
    expect(faces.fetching()).toEqual([]);
    await faces.ran('a1');
    expect(faces.handed()).toEqual(['a2']);
    expect(faces.fetching()).toEqual(['a3']);
    expect(faces.outcomes()).toEqual(['a1 ok']);
  });

  test('gives streams turns (I6)', async () => {
    const faces = served(1);
    for (const id of ['a1', 'a2', 'a3', 'a4', 'b1', 'c1']) faces.submit(id);
    const order: string[] = [];
    for (let [next] = faces.fetching(); next !== undefined; [next] = faces.fetching()) {
      await faces.fetched(next);
      for (const running of faces.handed()) {
        order.push(running);
        await faces.ran(running);
      }
    }
    expect(order).toEqual(['a1', 'a2', 'a3', 'b1', 'c1', 'a4']);
  });

  test('uses all of its instances', async () => {
    const faces = served(3);
    for (const id of ['a1', 'a2', 'a3', 'a4', 'a5']) faces.submit(id);
    expect(faces.fetching()).toHaveLength(4);
    for (const id of faces.fetching()) await faces.fetched(id);
    expect(faces.handed()).toEqual(['a1', 'a2', 'a3']);
  });

  test('gives back what is cancelled before it starts, wherever it is (G-5)', async () => {
    const faces = served(1);
    const [running, prepared, waiting] = ['a1', 'a2', 'a3'].map((id) => faces.submit(id));
    await faces.fetched('a1');
    await faces.fetched('a2');
    for (const cancel of [running, prepared, waiting]) cancel?.();
    expect(faces.outcomes()).toEqual(['a2 NOT_STARTED not started', 'a3 NOT_STARTED not started']);
    const fetching = faces.submit('a4');
    fetching();
    await faces.fetched('a4');
    expect(faces.outcomes()).toContain('a4 NOT_STARTED not started');
    await faces.ran('a1');
    expect(faces.outcomes()).toContain('a1 ok');
    expect(faces.handed()).toEqual([]);
  });

  test.each([
    ['fetched', 0],
    ['handed to a busy instance in advance', 1],
  ])(
    'puts a newer window into the place of one that was %s and cancelled, before what others wait with',
    async (_, inAdvance) => {
      const faces = served(1, inAdvance);
      faces.submit('a1');
      const cancel = faces.submit('b1');
      for (const id of ['c1', 'd1']) faces.submit(id);
      await faces.fetched('a1');
      await faces.fetched('b1');
      cancel();
      await faces.settled();
      expect(faces.outcomes()).toEqual(['b1 NOT_STARTED not started']);
      expect(faces.fetching()).toEqual([]);
      faces.submit('b2');
      expect(faces.fetching()).toEqual(['b2']);
      await faces.fetched('b2');
      await faces.ran('a1');
      expect(faces.handed()[0]).toBe('b2');
      expect(faces.fetching()).toEqual(['c1']);
    },
  );

  test('keeps no place once an instance would wait for it', async () => {
    const faces = served(1);
    faces.submit('a1');
    const cancel = faces.submit('b1');
    faces.submit('c1');
    await faces.fetched('a1');
    cancel();
    await faces.fetched('b1');
    expect(faces.fetching()).toEqual([]);
    await faces.ran('a1');
    expect(faces.fetching()).toEqual(['c1']);
  });

  test('gives back what is stale when its turn comes', async () => {
    const faces = served(1);
    faces.submit('a1');
    faces.submit('a2', { budgetMs: 100 });
    await faces.fetched('a1');
    await faces.fetched('a2');
    await new Promise((resolve) => setTimeout(resolve, 105));
    await faces.ran('a1');
    expect(faces.outcomes()).toEqual(['a1 ok', 'a2 NOT_STARTED not started']);
    expect(faces.handed()).toEqual([]);
  });

  test('takes back what an instance has in advance and has not begun (G-5, G-6)', async () => {
    const faces = served(1, 1);
    const cancels = ['a1', 'a2', 'a3'].map((id) => faces.submit(id));
    await faces.fetched('a1');
    await faces.fetched('a2');
    expect(faces.handed()).toEqual(['a1', 'a2']);
    for (const cancel of cancels.slice(0, 2)) cancel();
    await faces.settled();
    await faces.fetched('a3');
    expect(faces.outcomes()).toEqual(['a2 NOT_STARTED not started']);
    expect(faces.handed()).toEqual(['a1', 'a3']);
    const draining = faces.algorithm.drain();
    await faces.ran('a1');
    await draining;
    expect(faces.outcomes()).toEqual(['a2', 'a3'].map((id) => `${id} NOT_STARTED not started`).concat('a1 ok'));
  });

  test('runs again, before all others of its stream, what was lost with the worker before it began', async () => {
    const faces = served(1, 1);
    for (const id of ['a1', 'a2', 'a3']) faces.submit(id);
    await faces.fetched('a1');
    await faces.fetched('a2');
    await faces.ran('a2', { kind: 'not-started' });
    expect(faces.outcomes()).toEqual([]);
    expect(faces.fetching()).toEqual(['a2']);
    await faces.fetched('a2');
    await faces.ran('a1');
    await faces.ran('a2');
    expect(faces.outcomes()).toEqual(['a1 ok', 'a2 ok']);
  });

  test('answers a window whose frames cannot be had, and goes on', async () => {
    const faces = served(1);
    faces.submit('a1');
    faces.submit('a2');
    await faces.fetched('a1', new Fault('FRAME_GONE', 'gone'));
    await faces.fetched('a2');
    expect(faces.outcomes()).toEqual(['a1 FRAME_GONE']);
    expect(faces.handed()).toEqual(['a2']);
  });

  test('limits a window by its own time limit, else by the definition', async () => {
    const faces = served(2);
    faces.submit('a1', { timeoutMs: 50 });
    faces.submit('a2');
    await faces.fetched('a1');
    await faces.fetched('a2');
    expect([...faces.limits.values()]).toEqual([50, 777]);
  });

  test('drains: what runs is answered, the rest given back, now and later (G-6)', async () => {
    const faces = served(1);
    for (const id of ['a1', 'a2', 'a3', 'a4']) faces.submit(id);
    await faces.fetched('a1');
    let drained = false;
    const draining = faces.algorithm.drain().then(() => {
      drained = true;
    });
    faces.submit('a5');
    await faces.fetched('a2');
    expect(faces.outcomes().sort()).toEqual(['a2', 'a3', 'a4', 'a5'].map((id) => `${id} NOT_STARTED not started`));
    expect(drained).toBe(false);
    await faces.ran('a1');
    await draining;
    expect(faces.outcomes()).toContain('a1 ok');
    await faces.algorithm.drain();
  });
});
