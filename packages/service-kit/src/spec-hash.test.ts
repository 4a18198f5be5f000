import { expect, test } from 'vitest';
import { streamSpec } from '../../../test/model/specs.ts';
import { specHash } from './spec-hash.ts';

const spec = streamSpec();

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
