import { expect, test } from 'vitest';
import { InvocationCost, type RanBatch } from './invocation-cost.ts';

/** So many batches, each told of with every window of it. */
function ran(
  cost: InvocationCost,
  batches: number,
  { version = '1', windows = 1, runMs = 20 }: Partial<RanBatch>,
): void {
  for (let window = 0; window < batches * windows; window += 1) cost.observe({ version, windows, runMs });
}

test('a few batches are no price', () => {
  const cost = new InvocationCost();
  ran(cost, 7, { runMs: 500 });
  expect(cost.price(100)).toBeUndefined();
  expect(cost.kept).toBeUndefined();
  ran(cost, 1, { runMs: 500 });
  expect(cost.price(100)).toEqual({ msPerWindow: 500, batch: 1 });
});

test('what is older counts for less and less', () => {
  const cost = new InvocationCost();
  ran(cost, 20, { runMs: 500 });
  ran(cost, 300, { runMs: 20 });
  expect(cost.price(100)?.msPerWindow).toBeLessThan(24);
});

test('the price is that of the fullest batches that were achieved, so that emptier ones ask for no more runners', () => {
  const cost = new InvocationCost();
  ran(cost, 100, { windows: 12, runMs: 36 });
  expect(cost.price(100)).toEqual({ msPerWindow: 3, batch: 12 });
  ran(cost, 100, { windows: 1, runMs: 20 });
  expect(cost.price(100)).toEqual({ msPerWindow: 3, batch: 12 });
});

test('where there are too few windows to fill such a batch, the price is that of smaller ones', () => {
  const cost = new InvocationCost();
  ran(cost, 100, { windows: 12, runMs: 36 });
  ran(cost, 100, { windows: 3, runMs: 24 });
  expect(cost.price(4)).toEqual({ msPerWindow: 8, batch: 3 });
  expect(cost.price(1)).toEqual({ msPerWindow: 8, batch: 3 });
  expect(cost.price(9)).toEqual({ msPerWindow: 3, batch: 12 });
});

test('a price that was learnt on faster machines is not held against what fuller batches cost now', () => {
  const cost = new InvocationCost();
  ran(cost, 100, { windows: 4, runMs: 4 });
  ran(cost, 100, { windows: 16, runMs: 160 });
  expect(cost.price(100)).toEqual({ msPerWindow: 10, batch: 16 });
});

test('a fuller batch that was dear on slower machines is not the price where small ones are cheaper now', () => {
  const cost = new InvocationCost();
  ran(cost, 100, { windows: 16, runMs: 1_600 });
  ran(cost, 100, { windows: 1, runMs: 5 });
  expect(cost.price(100)).toEqual({ msPerWindow: 5, batch: 1 });
});

test('a batch counts once, whoever learns of which of its windows', () => {
  const cost = new InvocationCost();
  for (let batch = 0; batch < 10; batch += 1)
    for (let window = 0; window < 4; window += 1) cost.observe({ version: '1', windows: 16, runMs: 32 });
  expect(cost.price(100)).toBeUndefined();
  ran(cost, 6, { windows: 16, runMs: 32 });
  expect(cost.price(100)?.msPerWindow).toBe(2);
});

test('another version is learnt anew; the last known price stands until then', () => {
  const cost = new InvocationCost();
  ran(cost, 100, { version: '1', runMs: 20 });
  ran(cost, 7, { version: '2', runMs: 60 });
  expect(cost.price(100)?.msPerWindow).toBe(20);
  ran(cost, 1, { version: '2', runMs: 60 });
  expect(cost.price(100)?.msPerWindow).toBe(60);
  expect(cost.kept?.version).toBe('2');
});

test('while two versions share the work the price does not begin anew with each answer', () => {
  const cost = new InvocationCost();
  ran(cost, 100, { version: '1', runMs: 20 });
  for (let turn = 0; turn < 200; turn += 1) {
    ran(cost, 3, { version: '1', runMs: 20 });
    ran(cost, 1, { version: '2', runMs: 60 });
  }
  expect(cost.price(100)?.msPerWindow).toBeCloseTo(20);
});

test('what is kept is taken up by another life, and gives way to what that one learns', () => {
  const before = new InvocationCost();
  ran(before, 100, { windows: 12, runMs: 36 });
  const { kept } = before;
  const cost = new InvocationCost();
  if (kept) cost.adopt(kept);
  expect(cost.price(100)).toEqual({ msPerWindow: 3, batch: 12 });
  ran(cost, 300, { windows: 12, runMs: 72 });
  expect(cost.price(100)?.msPerWindow).toBeCloseTo(6, 1);
  if (kept) cost.adopt(kept);
  expect(cost.price(100)?.msPerWindow).toBeCloseTo(6, 1);
});

test('what is kept of another version is no price once this one is learnt', () => {
  const cost = new InvocationCost();
  ran(cost, 100, { version: '2', runMs: 60 });
  cost.adopt({ version: '1', sizes: [{ upTo: 1, batches: 64, windows: 1, msPerWindow: 20 }] });
  expect(cost.price(100)?.msPerWindow).toBe(60);
});

test('a runner that tells no times teaches nothing', () => {
  const cost = new InvocationCost();
  ran(cost, 100, { runMs: 0 });
  expect(cost.price(100)).toBeUndefined();
});
