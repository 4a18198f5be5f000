import type { StoredLetter } from '@stream-infer/bus/dead-letters';
import type { DeadLetter } from '@stream-infer/core/dead-letter';
import type { StreamAlgorithm } from '@stream-infer/core/stream-spec';
import { expect, test } from 'vitest';
import { algorithm, streamSpec } from '../../../../test/model/specs.ts';
import { replayGroups, replaySpec } from './replay.ts';

const stored = (id: number, n: number, differs: Partial<DeadLetter> = {}): StoredLetter => ({
  id,
  letter: {
    stream: 'lobby',
    run: 'r1',
    algorithm: 'faces',
    definition: 'faces',
    n,
    key: '1',
    mode: 'offline',
    window: [],
    error: { code: 'ALGORITHM_FAILED', message: 'it threw' },
    attempts: 3,
    specHash: 'h',
    diedAtMs: 0,
    ...differs,
  },
});

const named = (name: string): StreamAlgorithm => algorithm({ name, definition: name });

test('one replay mends what one run and algorithm failed on', () => {
  const letters = [stored(1, 9), stored(2, 9, { run: 'r2' }), stored(3, 3), stored(4, 1, { algorithm: 'cars' })];
  expect(replayGroups(letters).map((group) => group.map(({ id }) => id))).toEqual([[1, 3], [2], [4]]);
});

test('it plays the same source for that algorithm alone, each window once', () => {
  const spec = streamSpec({ fps: '5', algorithms: [named('cars'), named('faces')] });
  expect(replaySpec(spec, [stored(1, 9), stored(3, 3), stored(5, 9)], 'replay-1')).toEqual({
    ...spec,
    id: 'replay-1',
    algorithms: [named('faces')],
    replay: { stream: 'lobby', run: 'r1', ns: [3, 9] },
  });
});
