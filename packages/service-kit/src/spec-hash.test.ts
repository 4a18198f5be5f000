import type { StreamSpec } from '@stream-infer/core/stream-spec';
import { expect, test } from 'vitest';
import { specHash } from './spec-hash.ts';

const spec: StreamSpec = {
  id: 'lobby',
  source: '/lobby.mp4',
  mode: 'offline',
  position: '0',
  pixelFormat: 'gray',
  encoding: 'raw',
  videoStream: 0,
  algorithms: [
    {
      name: 'a',
      definition: 'a',
      frameCount: 1,
      frameStep: 0,
      intervalFrames: 1,
      timeoutMs: 1_000,
      maxInFlight: 8,
      maxAttempts: 3,
    },
  ],
};

test('tells specs apart that play other windows, and no others', () => {
  const [algorithm] = spec.algorithms;
  if (algorithm === undefined) throw new Error('no algorithm');
  const hash = specHash(spec);
  expect(hash).toMatch(/^[0-9a-f]{16}$/);
  expect(specHash({ ...spec, algorithms: [{ ...algorithm, timeoutMs: 5, maxInFlight: 1, maxAttempts: 1 }] })).toBe(
    hash,
  );
  expect(specHash({ ...spec, algorithms: [{ ...algorithm, frameCount: 2 }] })).not.toBe(hash);
  expect(specHash({ ...spec, fps: '5' })).not.toBe(hash);
});
