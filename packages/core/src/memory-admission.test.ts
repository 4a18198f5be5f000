import { describe, expect, test } from 'vitest';
import { admit, plannedBuffer } from './memory-admission.ts';
import type { StreamSpec } from './stream-spec.ts';

const SPEC: StreamSpec = {
  ...{ id: 'lobby', source: '/a.mp4', mode: 'realtime', fps: '10', width: 640, height: 480 },
  ...{ pixelFormat: 'bgr24', encoding: 'raw', position: '0', videoStream: 0 },
  algorithms: [
    {
      ...{ name: 'faces', definition: 'faces', frameCount: 1, frameStep: 0 },
      intervalFrames: 1,
      timeoutMs: 1,
      maxInFlight: 2,
      maxAttempts: 3,
    },
  ],
};
const MIB = 2 ** 20;

describe('what a stream will reserve (EX-3)', () => {
  test('follows from its size, its rate and its windows', () => {
    // A window of one frame, and what is published in the 2.1 s for which it may be held.
    expect(plannedBuffer(SPEC)).toEqual({ capacity: 1 + 22, bytesPerFrame: 640 * 480 * 3 });
    expect(plannedBuffer({ ...SPEC, mode: 'offline', pixelFormat: 'gray' })).toEqual({
      capacity: 1 + 2 + 8,
      bytesPerFrame: 640 * 480,
    });
  });

  test('cannot be told where the source decides one of them', () => {
    for (const key of ['width', 'height', 'fps'] as const) {
      const { [key]: _left, ...spec } = SPEC;
      expect(plannedBuffer(spec)).toBeUndefined();
    }
  });
});

describe('admission', () => {
  const reserved = [
    { name: 'yard', bytes: 20 * MIB },
    { name: 'gate', bytes: 60 * MIB },
  ];
  const told = (needMiB: number, more: typeof reserved = reserved): string => {
    try {
      admit({ stream: 'lobby', needBytes: needMiB * MIB, limitBytes: 100 * MIB, reserved: more });
      return 'admitted';
    } catch (error) {
      return String(error);
    }
  };

  test('is given up to the last byte', () => {
    expect(told(20)).toBe('admitted');
    expect(told(20 + 1 / MIB)).toMatch(/^BUS_NO_ROOM: /);
  });

  test('is refused with the sum: what is needed, who reserves how much, what is left', () => {
    expect(told(30)).toContain(
      "stream lobby needs 30.0 MiB of the bus's memory for its frames, and 20.0 MiB of 100.0 MiB are left: gate reserves 60.0 MiB, yard reserves 20.0 MiB; choose",
    );
    expect(told(101, [])).toContain('100.0 MiB of 100.0 MiB are left: nobody else reserves any;');
    const many = Array.from({ length: 8 }, (_, index) => ({ name: `s${index}`, bytes: 20 * MIB }));
    expect(told(1, many)).toContain('0.0 MiB of 100.0 MiB are left: s0 reserves 20.0 MiB, s1');
    expect(told(1, many)).toContain('s4 reserves 20.0 MiB, 3 more 60.0 MiB;');
  });
});
