import { describe, expect, test } from 'vitest';
import { isAssignment, isMember, isRegisteredStream, isRun, isRunner, isSnapshot } from './registry-values.ts';

const spec = { id: 'lobby', mode: 'offline', algorithms: [{ name: 'a', definition: 'faces' }] };
const facts = { source: { fps: '30' }, frame: { width: 4, height: 2 }, frames: 'FRAMES_lobby_1', capacity: 9 };
const run = {
  ...{ run: 'r1', stream: 'lobby', epoch: 1, owner: '', spec, specRevision: 1 },
  state: { kind: 'playing', ...facts },
};
const runner = { id: 'one', address: '127.0.0.1:5', beat: 1, algorithms: [{ definition: 'faces', concurrency: 1 }] };

/** What is one, then what is none though it is JSON. */
const CASES: readonly [
  string,
  (value: unknown, key: string) => boolean,
  string,
  readonly object[],
  readonly object[],
][] = [
  [
    'a stream',
    isRegisteredStream,
    'lobby',
    [spec, { ...spec, mode: 'realtime', owner: 'me', algorithms: [] }],
    [
      { ...spec, id: 'yard' },
      { ...spec, mode: 'fast' },
      { ...spec, algorithms: [null] },
      { ...spec, algorithms: {} },
    ],
  ],
  [
    'a run',
    isRun,
    'lobby',
    [
      run,
      { ...run, state: { kind: 'claimed' } },
      { ...run, state: { kind: 'ended' } },
      { ...run, state: { kind: 'ended', facts, removed: true } },
      { ...run, state: { kind: 'failed', fault: { code: 'BUS_FAILED', message: 'away' } } },
    ],
    [
      { ...run, stream: 'yard' },
      { ...run, run: 'a.b' },
      { ...run, epoch: '1' },
      { ...run, epoch: -1 },
      { ...run, spec: undefined },
      { ...run, state: undefined },
      { ...run, state: { kind: 'playing' } },
      { ...run, state: { kind: 'ended', facts: 7 } },
      { ...run, state: { kind: 'failed' } },
      { ...run, state: { kind: 'dreaming' } },
    ],
  ],
  [
    'a runner',
    isRunner,
    'one',
    [runner, { ...runner, algorithms: [] }],
    [
      { ...runner, id: 'two' },
      { ...runner, address: 'nowhere' },
      { ...runner, beat: 'x' },
      { ...runner, algorithms: [7] },
    ],
  ],
  ['a member', isMember, 'ingest.one', [{ id: 'one', role: 'ingest' }], [{ id: 'two', role: 'ingest' }, { id: 'one' }]],
  ['a snapshot', isSnapshot, 'lobby.r1.tracks', [{ n: 7, bytes: '' }], [{ n: -1, bytes: '' }, { n: 7 }]],
  ['a hold', isAssignment, 'lobby', [{ owner: 'one' }, { owner: '' }], [{ owner: null }, {}]],
];

describe.each(CASES)('%s', (_, accepts, key, good, bad) => {
  test('is what has what its readers rely on', () => {
    for (const value of good) expect(accepts(value, key), JSON.stringify(value)).toBe(true);
  });

  test('is nothing else', () => {
    for (const value of [...bad, null, 42, 'text', []]) expect(accepts(value, key), JSON.stringify(value)).toBe(false);
  });
});
