/** A camera's algorithms are changed while it plays: its run goes on, and what was not changed is not disturbed (EX-10). */

import { openRuns } from '@stream-infer/bus/registry';
import type { StreamAlgorithm } from '@stream-infer/core/stream-spec';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { everyFrame } from '../harness/decoded-source.ts';
import { eventually } from '../harness/eventually.ts';
import { ledgersOf } from '../harness/ledgers.ts';
import { CameraServer, hasRtspServer } from '../harness/rtsp-server.ts';
import type { ServiceProcess } from '../harness/service-process.ts';
import { outOfOrder, startTakeoverTeam, type TakeoverTeam } from '../harness/takeover-team.ts';

const RATE = 10;
const KEPT_FRAMES = 5;

const every = (name: string, intervalFrames: number): StreamAlgorithm => ({ ...everyFrame, name, intervalFrames });
const kept = every('kept', KEPT_FRAMES);
const REALTIME = { mode: 'realtime', pixelFormat: 'gray' } as const;

let team: TakeoverTeam;
let ingest: ServiceProcess;
let scheduler: ServiceProcess;

const of = (algorithm: string) => team.arrivals.filter(({ record }) => record.algorithm === algorithm);
const runs = (): ReadonlySet<string> => new Set(team.arrivals.map(({ record }) => record.run));
const play = (source: string, ...algorithms: StreamAlgorithm[]) =>
  team.play('cam', source, { ...REALTIME, algorithms });
const more = async (algorithm: string, count: number): Promise<void> => {
  const from = of(algorithm).length;
  await eventually(`${count} more of ${algorithm}`, () => of(algorithm).length >= from + count, 30_000);
};

describe.skipIf(!hasRtspServer)('a camera (gst-rtsp-server of the distribution)', () => {
  let cameras: CameraServer;
  beforeAll(async () => {
    cameras = await CameraServer.start({ cameras: 1, rate: RATE, gop: RATE, shared: false });
    team = await startTakeoverTeam();
    ingest = await team.start('ingest', 'one');
    scheduler = await team.start('scheduler', 'one');
  });
  afterAll(async () => {
    await team?.stop();
    await cameras?.stop();
  });

  test('goes on with what is kept, begins what is added, and ends what is removed, in one run', async () => {
    const source = cameras.url(0);
    await play(source, kept, every('removed', 4));
    await more('removed', 4);
    await play(source, kept, every('added', 3));
    await more('added', 4);
    const removed = of('removed').length;
    await play(source, kept, every('added', 7));
    const wasDue = of('added').length;
    await eventually(
      'the changed interval',
      () =>
        of('added')
          .slice(wasDue)
          .some(({ record }) => record.n % 7 === 0 && record.n % 3 !== 0),
      30_000,
    );
    await more('kept', 3);
    expect(of('removed')).toHaveLength(removed);
    expect(runs().size).toBe(1);
    expect(outOfOrder(team.arrivals)).toEqual([]);
    expect(of('kept').every(({ record }) => record.n % KEPT_FRAMES === 0)).toBe(true);
  });

  test('of changes that come while one is under way the newest is played, in the same run', async () => {
    const source = cameras.url(0);
    await play(source, kept, every('passing', 4));
    await play(source, kept, every('passing', 5));
    await play(source, kept, every('last', 3));
    await more('last', 4);
    const { length } = of('passing');
    await more('last', 4);
    expect(of('passing')).toHaveLength(length);
    expect(runs().size).toBe(1);
    expect(outOfOrder(team.arrivals)).toEqual([]);
  });

  test('every frame and invocation is accounted for, those of algorithms that are no more too', async () => {
    // While a change is under way.
    await play(cameras.url(0), kept, every('late', 3));
    await team.remove('cam');
    const end = await eventually('the end of the run', () => team.ends[0], 30_000);
    expect(Object.keys(end.algorithms)).toEqual(expect.arrayContaining(['added', 'kept', 'last', 'removed']));
    for (const [name, { completed }] of Object.entries(end.algorithms)) expect(completed).toBe(of(name).length);
    const books = await eventually('all is settled', async () => {
      const { cam: there } = await ledgersOf(scheduler);
      const { cam: here } = await ledgersOf(ingest);
      const all = [here?.frames, there?.frames, ...Object.values(there?.algorithms ?? {})];
      return all.every((book) => book?.open === 0 && book.unaccounted === 0) ? all : undefined;
    });
    expect(books[1]?.entered).toBe(books[0]?.handedOver);
    await eventually(
      'the run is forgotten',
      async () => (await (await openRuns(team.bus)).get('cam')) === undefined,
      30_000,
    );
  });
});
