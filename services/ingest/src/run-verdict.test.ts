import { Fault } from '@stream-infer/core/fault';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import { describe, expect, test } from 'vitest';
import { afterOpening, afterPlaying } from './run-verdict.ts';
import { SourceFault } from './source-fault.ts';

const spec = (more: Partial<StreamSpec>): StreamSpec =>
  ({ source: 'rtsp://cam/1', mode: 'realtime', ...more }) as StreamSpec;
const over = { kind: 'over' };
const again = (reason: string) => ({ kind: 'again', reason });
const lost = new SourceFault('SOURCE_LOST', 'no-frames', 'lost');
const ended = new SourceFault('SOURCE_LOST', 'ended', 'sends no more');
const bus = new Fault('BUS_FAILED', 'gone');
const played = { fault: undefined, wasKilled: false, live: true, isFruitless: false };

describe('after playing', () => {
  test('a source at its end is over; a camera that broke, or ended, is opened again', () => {
    expect(afterPlaying(spec({}), played)).toEqual(over);
    expect(afterPlaying(spec({}), { ...played, fault: lost })).toEqual(again('no-frames'));
    expect(afterPlaying(spec({}), { ...played, fault: ended })).toEqual(again('ended'));
    expect(afterPlaying(spec({ once: true }), { ...played, fault: ended })).toEqual(over);
    expect(afterPlaying(spec({ once: true }), { ...played, fault: lost })).toEqual(again('no-frames'));
  });

  test('a file goes on where its ffmpeg was killed or the bus lost its frames, and not for ever', () => {
    const file = spec({ source: '/clip.mp4', mode: 'offline' });
    const broken = { ...played, live: false, fault: ended };
    expect(afterPlaying(file, broken)).toEqual(over);
    expect(afterPlaying(file, { ...broken, wasKilled: true })).toEqual(again('decode-errors'));
    expect(afterPlaying(file, { ...broken, wasKilled: true, isFruitless: true })).toEqual(over);
    expect(afterPlaying(file, { ...broken, fault: bus })).toEqual(again('bus-away'));
  });
});

describe('where it cannot be opened', () => {
  const refused = new SourceFault('SOURCE_UNREACHABLE', 'refused', 'refused');
  test('a camera is tried for ever, unless it is to play once and never did', () => {
    expect(afterOpening(spec({}), refused, false)).toEqual(again('refused'));
    expect(afterOpening(spec({ once: true }), refused, false)).toEqual(over);
    expect(afterOpening(spec({ once: true }), refused, true)).toEqual(again('refused'));
  });

  test('a name that leads where nothing may be played is asked again; an address that is none of those is not', () => {
    const moved = new SourceFault('SOURCE_FORBIDDEN', 'forbidden', 'leads to a loopback address');
    expect(afterOpening(spec({}), moved, true)).toEqual(again('forbidden'));
    expect(afterOpening(spec({ mode: 'offline' }), moved, false)).toEqual(over);
    expect(afterOpening(spec({}), new Fault('SOURCE_FORBIDDEN', 'is an address'), false)).toEqual(over);
  });

  test('what is configured wrongly is over, and so is a file; without room on the bus one waits for it', () => {
    expect(afterOpening(spec({}), new Fault('SIZE_TOO_LARGE', 'too large'), false)).toEqual(over);
    const missing = new SourceFault('SOURCE_NOT_FOUND', 'not-found', 'no such file');
    expect(afterOpening(spec({ source: '/clip.mp4' }), missing, false)).toEqual(over);
    const full = new Fault('BUS_NO_ROOM', 'full');
    expect(afterOpening(spec({ source: '/clip.mp4', mode: 'offline' }), full, false)).toEqual(again('no-room'));
    expect(afterOpening(spec({ once: true }), full, false)).toEqual(over);
    expect(afterOpening(spec({ once: true }), bus, false)).toEqual(again('bus-away'));
  });
});
