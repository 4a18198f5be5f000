import type { RunEnd } from '@stream-infer/core/result-record';
import type { SourceFacts } from '@stream-infer/core/run';
import type { StreamAlgorithm, StreamSpec } from '@stream-infer/core/stream-spec';
import { describe, expect, test } from 'vitest';
import { algorithm, streamSpec } from '../../../../test/model/specs.ts';
import { endNotes, planNotes } from './run-notes.ts';

const source: SourceFacts = {
  width: 4,
  height: 2,
  fps: '25',
  sampling: 'index',
  timeBase: '1/25',
  live: false,
  codec: 'h264',
};

const spec = (given: Partial<StreamAlgorithm>, more: Partial<StreamSpec> = {}): StreamSpec =>
  streamSpec({ algorithms: [algorithm(given)], ...more });

describe('an interval', () => {
  test.each([
    ['0.5', '5', '25', 'interval 0.5 s at 5 fps is 2 frames: every 0.4 s'],
    ['1', undefined, '30000/1001', 'interval 1 s at 29.97 fps is 29 frames: every 0.967 s'],
    ['0.05', undefined, '25', 'interval 0.05 s at 25 fps is 1 frame: every 0.04 s'],
  ])('of %s s at %s of %s fps is told as what it is', (interval, fps, sourceFps, text) => {
    const notes = planNotes(spec({ interval }, fps === undefined ? {} : { fps }), { ...source, fps: sourceFps });
    expect(notes).toEqual([`stream lobby, algorithm a: ${text}`]);
  });

  test.each([
    ['1', undefined, '25'],
    ['0.2', '5', '25'],
    // Meant to be played at the round rate.
    ['1', '30', '30000/1001'],
  ])('of %s s at %s of %s fps is kept, and nothing is told', (interval, fps, sourceFps) => {
    expect(planNotes(spec({ interval }, fps === undefined ? {} : { fps }), { ...source, fps: sourceFps })).toEqual([]);
  });
});

describe('the end of a run', () => {
  const end = (counts: Partial<RunEnd>, triggered = 0): RunEnd => ({
    stream: 'lobby',
    run: 'r1',
    decoded: 109,
    played: 109,
    published: 0,
    lastPlayed: 109,
    algorithms: { a: { triggered, completed: triggered, failed: 0, dropped: {} } },
    elapsedMs: 1,
    fault: null,
    ...counts,
  });
  const notes = (wanted: StreamSpec, facts: SourceFacts, ended: RunEnd): readonly string[] =>
    endNotes({
      spec: wanted,
      progress: {
        run: 'r1',
        playing: {
          kind: 'playing',
          source: facts,
          frame: { width: 4, height: 2, pixelFormat: 'bgr24', encoding: 'raw', bytesPerFrame: 24 },
          frames: 'F',
          capacity: 8,
          notices: [],
        },
        status: undefined,
        results: 0,
        isCut: false,
        isOver: true,
        fault: undefined,
      },
      end: ended,
      firstErrors: new Map(),
    });

  test.each([
    [{ frameCount: 60, frameStep: 10, intervalFrames: 1 }, 600, '24'],
    [{ frameCount: 60, frameStep: 10, interval: '10' }, 750, '30'],
    [{ interval: '10' }, 250, '10'],
  ])('tells that %j was never due', (algorithm, first, seconds) => {
    expect(notes(spec(algorithm), source, end({}))).toEqual([
      `stream lobby, algorithm a: never due: the source ends at played frame 109, and the first window needs frame ${first} (${seconds} s)`,
    ]);
  });

  test('tells nothing of what was due', () => {
    expect(notes(spec({ interval: '1' }), source, end({}, 4))).toEqual([]);
  });

  test('tells how many frames of a variable rate share a slot, and nothing where fewer were asked for', () => {
    const variable: SourceFacts = { ...source, sampling: 'time' };
    const counted = end({ decoded: 71, played: 65 }, 4);
    expect(notes(spec({ interval: '1' }), variable, counted)).toEqual([
      'stream lobby: played 65 of 71 frames of variable rate: 6 share a slot of 1/25 s with the frame before: give a higher fps to play them',
    ]);
    expect(notes(spec({ interval: '1' }, { fps: '5' }), variable, counted)).toEqual([]);
    expect(notes(spec({ interval: '1' }), { ...variable, live: true }, counted)).toEqual([]);
  });
});
