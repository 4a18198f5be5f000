/** Two ingests and two schedulers share four streams; one of each is killed, and the others go on with what it had (D11). */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { everyFrame } from '../harness/decoded-source.ts';
import { eventually } from '../harness/eventually.ts';
import type { ServiceProcess } from '../harness/service-process.ts';
import { killed, outOfOrder, startTakeoverTeam, type TakeoverTeam } from '../harness/takeover-team.ts';

const STREAMS = ['a', 'b', 'c', 'd'];
let team: TakeoverTeam;
let ingests: ServiceProcess[];
let schedulers: ServiceProcess[];

beforeAll(async () => {
  team = await startTakeoverTeam();
  ingests = await Promise.all(['one', 'two'].map((id) => team.start('ingest', id)));
  schedulers = await Promise.all(['one', 'two'].map((id) => team.start('scheduler', id)));
});
afterAll(() => team?.stop());

test('what they had goes on with the others: no result twice, in order, in the same run, and nothing is left of the epochs before', async () => {
  for (const id of STREAMS)
    await team.play(id, 'lavfi:testsrc=size=32x32:rate=5', {
      mode: 'realtime',
      pixelFormat: 'gray',
      algorithms: [everyFrame],
    });
  await eventually('an even share', async () => {
    const [ingest, scheduler] = [await team.shares('ingest'), await team.shares('scheduler')];
    return [ingest, scheduler].every(({ one, two }) => one === 2 && two === 2);
  });
  await team.untilAnswered(STREAMS, performance.now());

  const killedAtMs = performance.now();
  await Promise.all([ingests[0], schedulers[1]].flatMap((service) => (service ? [killed(service)] : [])));
  await eventually('all of it is with the others', async () => {
    const [ingest, scheduler] = [await team.shares('ingest'), await team.shares('scheduler')];
    return ingest.two === 4 && scheduler.one === 4;
  });
  await team.untilAnswered(STREAMS, performance.now());

  console.info(`longest time without a result: ${Math.round(team.longestGapMs(STREAMS, killedAtMs))} ms`);
  expect(outOfOrder(team.arrivals)).toEqual([]);
  expect(new Set(team.arrivals.map(({ record }) => record.run)).size).toBe(STREAMS.length);
  expect(team.ends).toEqual([]);
  const buffers = (await team.bus.manager.streams.list().next()).map(({ config }) =>
    team.bus.topology.streamOfFrames(config.name),
  );
  expect(buffers.filter((id) => id !== undefined).sort()).toEqual(STREAMS);
});
