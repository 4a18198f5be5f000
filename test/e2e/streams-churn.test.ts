/** Streams that come and go by the dozen change nothing for those that play, and leave nothing behind. `make test-chaos` has hundreds. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { CAMERA, type ChurnWorld, startChurnWorld } from '../harness/churn-world.ts';
import { eventually } from '../harness/eventually.ts';
import { killed } from '../harness/takeover-team.ts';

const CHURNED = 24;
const AT_ONCE = 4;
const PLAYING = ['a', 'b'];
const JOB = { ...CAMERA, source: 'lavfi:testsrc=size=32x32:rate=10:duration=2', mode: 'offline' };

let world: ChurnWorld;
beforeAll(async () => {
  world = await startChurnWorld();
});
afterAll(() => world?.stop());

const untilForgotten = (): Promise<unknown> =>
  eventually('no run is registered, and nobody follows one', async () => (await world.registered()).length === 0);

test('those that play go on, in the same run and with no result lost, and of the others nothing is left', async () => {
  for (const id of PLAYING) await world.put(id);
  const before = await eventually('both play', async () => {
    const all = await Promise.all(PLAYING.map(world.report));
    return all.every(({ results }) => results >= 2) && all;
  });
  for (let begun = 0; begun < CHURNED; begun += AT_ONCE) {
    const held = await world.churn(
      Array.from({ length: AT_ONCE }, (_, index) => `c${begun + index}`),
      PLAYING,
    );
    expect(held.buffers).toEqual(PLAYING);
  }
  for (const [index, id] of PLAYING.entries()) {
    const now = await world.report(id);
    expect(now).toMatchObject({ run: before[index]?.run, state: 'running', source: { state: 'playing' } });
    // A result each half second of the source's time; what a machine with much else to do had to leave out is counted.
    await eventually(`every result of ${id} that is missing is counted`, async () => (await world.missing(id)) <= 0);
  }
  for (const id of PLAYING) await world.remove(id);
  await eventually('no buffer is left', async () => (await world.held()).buffers.length === 0);
  await untilForgotten();
});

test('a job that was over, and a stream that was removed while no ingest was there to end it, leave nothing either', async () => {
  await world.put('job', JOB);
  await world.put('cam');
  await eventually('the job is done', async () => (await world.report('job')).state === 'ended');
  await eventually('the camera plays', async () => (await world.report('cam')).results > 0);
  expect(await world.registered()).toEqual(['cam', 'job', 'cam', 'job']);
  await killed(world.service('ingest'));
  await Promise.all(['job', 'cam'].map(world.remove));
  await world.restart('ingest');
  await untilForgotten();
  await eventually('no buffer is left', async () => (await world.held()).buffers.length === 0);
});
