import type { SourceReport } from '@stream-infer/core/source-report';
import { describe, expect, test } from 'vitest';
import { formatChecks } from './doctor.ts';
import { describeSource } from './probe.ts';

describe('a probed source', () => {
  const report: SourceReport = {
    source: 'rtsp://***@camera/1',
    kind: 'url',
    facts: { width: 1920, height: 1080, fps: '25', sampling: 'time', timeBase: '1/90000', live: true, codec: 'h264' },
    videoStreams: [{ codec: 'h264', width: 1920, height: 1080, fps: 25 }],
    frames: null,
    keyframes: null,
    rotation: 0,
  };

  test('that is live has no length and is sampled by time', () => {
    expect(describeSource(report).split('\n')).toEqual([
      'source   rtsp://***@camera/1',
      'picture  h264, 1920 × 1080',
      'rate     25 frames a second, live',
      'played   in realtime, sampled by presentation time, frames of 1920 × 1080 in bgr24 (6.2 MB) unless --width or --height is given',
    ]);
  });

  test('with several video streams lists them, and tells how another is chosen', () => {
    const second = { codec: 'hevc', width: 480, height: 270, fps: 30_000 / 1_001 };
    const text = describeSource({ ...report, videoStreams: [...report.videoStreams, second] });
    expect(text.split('\n').slice(-3)).toEqual([
      'video 0  h264, 1920 × 1080, 25 frames a second',
      'video 1  hevc, 480 × 270, 29.97 frames a second',
      expect.stringMatching(/ video 0, unless videoStream in a configuration, or --video-stream, says/),
    ]);
  });

  test('that is a file tells length, keyframes and rotation', () => {
    const file: SourceReport = {
      ...report,
      kind: 'file',
      facts: { ...report.facts, live: false, sampling: 'index', durationSeconds: 75 },
      frames: 1875,
      keyframes: 8,
      rotation: 90,
    };
    const text = describeSource(file);
    expect(text).toContain('h264, 1920 × 1080, turned by 90 degrees\n');
    expect(text).toContain('25 frames a second, constant\n');
    expect(text).toContain('1 min 15 s, 1875 frames, 8 of them keyframes\n');
    expect(text).toContain('offline, sampled by frame number');
  });
});

test("doctor's lines tell what to do where something fails, and nothing more where it is ok", () => {
  expect(
    formatChecks([
      { name: 'node', ok: true, found: '24.0.0', advice: '' },
      { name: 'nats-server', ok: false, found: 'not on the PATH', advice: 'install it' },
    ]),
  ).toBe('ok    node         24.0.0\nFAIL  nats-server  not on the PATH  install it');
});
