import { Frame as ProtoFrame } from '@stream-infer/proto/stream_infer/v1/frame';
import { describe, expect, test } from 'vitest';
import { algorithmFrame } from './algorithm-frame.ts';

const frame = (differs: Partial<ProtoFrame> = {}): ProtoFrame => ({
  ...ProtoFrame.decode(new Uint8Array()),
  n: 30,
  sourceIndex: 29,
  presentationTimeUs: 1_001_500,
  positionNumerator: 30_030,
  positionDenominator: 30_000,
  width: 3,
  height: 3,
  pixelFormat: 4,
  sourceWidth: 6,
  sourceHeight: 6,
  ...differs,
});

describe('a frame as an algorithm is handed it', () => {
  test('has its place in seconds and milliseconds, and no wall clock offline', () => {
    const data = new Uint8Array(17);
    expect(algorithmFrame(frame(), data)).toEqual({
      index: 29,
      n: 30,
      position: 1.001,
      timestampMs: 1001.5,
      width: 3,
      height: 3,
      pixelFormat: 'yuv420p',
      data,
      sourceWidth: 6,
      sourceHeight: 6,
    });
  });

  test('has the wall clock in realtime', () => {
    expect(algorithmFrame(frame({ capturedAtMs: 1_700_000_000_000 }), new Uint8Array(17)).capturedAtMs).toBe(
      1_700_000_000_000,
    );
  });

  test('is refused where its bytes are not those of its geometry', () => {
    expect(() => algorithmFrame(frame(), new Uint8Array(13))).toThrow(/holds 13 bytes, and 3x3 yuv420p is 17/);
    expect(() => algorithmFrame(frame({ pixelFormat: 0 }), new Uint8Array(17))).toThrow(/names no pixel format/);
  });
});
