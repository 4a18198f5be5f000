import { rational } from '@stream-infer/core/rational';
import type { Sampling } from '@stream-infer/core/run';
import { type SamplePlan, samplePlan } from '@stream-infer/core/sample-plan';
import { describe, expect, test } from 'vitest';
import { algorithm, sourceFacts, streamSpec } from '../../../test/model/specs.ts';
import { FrameLedger, type LedgerEntry } from './frame-ledger.ts';

const plan = (sampling: Sampling, fps: string, position: string, intervalFrames: number): SamplePlan =>
  samplePlan(
    streamSpec({ position, fps, algorithms: [algorithm({ intervalFrames })] }),
    sourceFacts({ fps: '10', sampling }),
  );
const ledger = (of: SamplePlan, selective = true): FrameLedger =>
  new FrameLedger({ plan: of, timeBase: rational(1, 1000), selective });
const drain = (from: FrameLedger): LedgerEntry[] => {
  const entries: LedgerEntry[] = [];
  for (let entry = from.take(); entry; entry = from.take()) entries.push(entry);
  return entries;
};
const fates = ({ decoded, played, fates: f }: FrameLedger) => ({ decoded, played, ...f });

describe('sampling by index', () => {
  test('frames are numbered by the plan, and every one has its fate', () => {
    const frames = ledger(plan('index', '5', '0.4', 2));
    for (let i = 0; i < 12; i += 1) frames.countDecoded(i, i * 100, i);
    // Played: 4 6 8 10 as n = 3 4 5 6; needed: 4 and 6.
    frames.countSelected(600);
    frames.countSelected(1000);
    expect(drain(frames).map(({ n, sourceIndex, ptsTicks }) => [n, sourceIndex, ptsTicks])).toEqual([
      [4, 6, 600],
      [6, 10, 1000],
    ]);
    expect(fates(frames)).toEqual({ decoded: 12, played: 4, 'before-start': 4, skipped: 4, 'not-needed': 2 });
    expect(frames.lastPlayed).toBe(6);
    expect(frames.outstanding).toBe(0);
  });

  test('a frame has the size that its own line tells of', () => {
    const frames = ledger(plan('index', '10', '0', 1));
    [1, 1, 2].forEach((sizeNumber, index) => {
      frames.countSelected(index * 100, sizeNumber);
      frames.countDecoded(index, index * 100, 0);
    });
    expect(drain(frames).map(({ sizeNumber }) => sizeNumber)).toEqual([1, 1, 2]);
  });

  test('a selected line may be read before the decoded one of its frame', () => {
    const frames = ledger(plan('index', '10', '0', 2));
    frames.countSelected(100);
    frames.countDecoded(0, 0, 0);
    expect(frames.take()).toBeUndefined();
    frames.countDecoded(1, 100, 0);
    expect(frames.take()).toMatchObject({ n: 2, sourceIndex: 1 });
  });

  test('where ffmpeg holds nothing back, what is not needed comes out marked so', () => {
    const frames = ledger(plan('index', '5', '0', 2), false);
    for (let i = 0; i < 4; i += 1) {
      frames.countDecoded(i, i * 100, 0);
      frames.countSelected(i * 100);
    }
    expect(drain(frames).map(({ n, needed }) => [n, needed])).toEqual([
      [1, false],
      [0, false],
      [2, true],
      [0, false],
    ]);
    expect(fates(frames)).toEqual({ decoded: 4, played: 2, 'before-start': 0, skipped: 2, 'not-needed': 1 });
  });

  test('the first frame missing from the rate is noted with its time', () => {
    const frames = ledger(plan('index', '10', '0', 1));
    [0, 100, 200, 400, 700].forEach((pts, index) => {
      frames.countDecoded(index, pts, 0);
    });
    expect(frames.firstLossTicks).toBe(300);
    expect(frames.nextTicks).toBe(800);
  });
});

describe('sampling by time', () => {
  test('the first frame of a slot is played, a frame without a time never', () => {
    const frames = ledger(plan('time', '10', '0', 1));
    const times = [128, 219, 268, 331, undefined, 330, 627];
    times.forEach((pts, index) => {
      frames.countDecoded(index, pts, 0);
    });
    // Slots of 100 ms from 128, each 1 ms early: 0, 0, 1, 2, none, 2, 5.
    for (const pts of [128, 268, 331, 627]) frames.countSelected(pts);
    expect(drain(frames).map(({ n, ptsTicks }) => [n, ptsTicks])).toEqual([
      [1, 128],
      [2, 268],
      [3, 331],
      [6, 627],
    ]);
    expect(fates(frames)).toEqual({ decoded: 7, played: 4, 'before-start': 0, skipped: 3, 'not-needed': 0 });
  });

  test('where it is known when a slot began, the first frame has the slot that it falls into', () => {
    const options = { plan: plan('time', '10', '0', 1), timeBase: rational(1, 1000), selective: true };
    const frames = new FrameLedger({ ...options, firstSlot: 41, originTicks: 0 });
    for (const [index, pts] of [230, 330].entries()) {
      frames.countDecoded(index, pts, index);
      frames.countSelected(pts);
    }
    expect(drain(frames).map(({ n }) => n)).toEqual([43, 44]);
    expect([frames.lastPlayed, frames.playedAtMs]).toEqual([44, 1]);
  });

  test('slots before the start position are not played', () => {
    const frames = ledger(plan('time', '10', '0.2', 1));
    [0, 100, 200, 300].forEach((pts, index) => {
      frames.countDecoded(index, pts, 0);
    });
    frames.countSelected(200);
    frames.countSelected(300);
    expect(drain(frames).map(({ n }) => n)).toEqual([3, 4]);
    expect(frames.fates['before-start']).toBe(2);
  });
});

describe('the ledger faults', () => {
  test('where ffmpeg selected another frame than the plan', () => {
    const frames = ledger(plan('index', '5', '0', 1));
    frames.countDecoded(0, 0, 0);
    frames.countDecoded(1, 100, 0);
    frames.countSelected(0);
    expect(() => {
      frames.countSelected(100);
      frames.countDecoded(2, 200, 0);
    }).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
  });

  test('where a decoded frame was not told of', () => {
    const frames = ledger(plan('index', '5', '0', 1));
    frames.countDecoded(0, 0, 0);
    expect(() => frames.countDecoded(2, 200, 0)).toThrow(/frame 2 was decoded where frame 1/);
  });
});
