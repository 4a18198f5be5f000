/**
 * Twelve cameras shared by ingests and schedulers that join, leave, die and are paused (D11): each camera's results go on within seconds, none
 * stands twice, and none out of order. The tests build on each other.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { everyFrame } from '../harness/decoded-source.ts';
import { eventually } from '../harness/eventually.ts';
import type { ServiceProcess } from '../harness/service-process.ts';
import { killed, outOfOrder, startTakeoverTeam, type TakeoverTeam } from '../harness/takeover-team.ts';

const STREAMS = Array.from({ length: 12 }, (_, at) => `cam${at}`);
const ROLES = ['ingest', 'scheduler'] as const;
type Role = (typeof ROLES)[number];
/** Longest time without a result when one dies, or is paused; and when one leaves in order. */
const DEATH_MS = 5_000;
const LEAVE_MS = 2_000;

let team: TakeoverTeam;
const members = new Map<string, ServiceProcess>();

const start = async (role: Role, id: string): Promise<void> => {
  members.set(`${role} ${id}`, await team.start(role, id));
};
const member = (role: Role, id: string): ServiceProcess => {
  const service = members.get(`${role} ${id}`);
  if (service === undefined) throw new Error(`no ${role} ${id}`);
  return service;
};
/** Waits until the streams are spread like this, by id. */
const spread = (role: Role, expected: Readonly<Record<string, number>>): Promise<unknown> => {
  let seen: unknown;
  return eventually(
    `${role}s share ${JSON.stringify(expected)}`,
    async () => {
      const shares = await team.shares(role);
      seen = shares;
      const ids = new Set([...Object.keys(shares), ...Object.keys(expected)]);
      return [...ids].every((id) => (shares[id] ?? 0) === (expected[id] ?? 0));
    },
    60_000,
  ).catch((error: unknown) => {
    throw new Error(`${role}s share ${JSON.stringify(seen)}`, { cause: error });
  });
};
/** Nothing twice, nothing out of order, no run begun anew, no run over. */
const isWhole = (): void => {
  expect(outOfOrder(team.arrivals)).toEqual([]);
  expect(new Set(team.arrivals.map(({ record }) => record.run)).size).toBe(STREAMS.length);
  expect(team.ends).toEqual([]);
};
/** Does it, and waits until every stream is answered again; the longest time without a result. */
async function gapMs(what: string, disturb: () => Promise<unknown>): Promise<number> {
  await team.untilAnswered(STREAMS, performance.now());
  const atMs = performance.now();
  await disturb();
  await team.untilAnswered(STREAMS, performance.now());
  const gap = Math.round(team.longestGapMs(STREAMS, atMs));
  console.info(`${what}: ${gap} ms without a result at most`);
  return gap;
}

beforeAll(async () => {
  team = await startTakeoverTeam();
  for (const role of ROLES) for (const id of ['one', 'two']) await start(role, id);
  for (const id of STREAMS)
    await team.play(id, 'lavfi:testsrc=size=32x32:rate=4', {
      mode: 'realtime',
      pixelFormat: 'gray',
      algorithms: [everyFrame],
    });
});
afterAll(() => team?.stop());

test('they are spread evenly', async () => {
  for (const role of ROLES) await spread(role, { one: 6, two: 6 });
  await team.untilAnswered(STREAMS, performance.now());
});

describe.each(ROLES)('one %s', (role) => {
  test('that is killed leaves its streams to the other', async () => {
    const gap = await gapMs(`a killed ${role}`, async () => {
      await killed(member(role, 'one'));
      await spread(role, { two: 12 });
    });
    expect(gap).toBeLessThanOrEqual(DEATH_MS);
    isWhole();
  });

  test('more gets its share', async () => {
    await start(role, 'three');
    await spread(role, { two: 6, three: 6 });
    await start(role, 'four');
    await spread(role, { two: 4, three: 4, four: 4 });
    await team.untilAnswered(STREAMS, performance.now());
    isWhole();
  });

  test('that leaves in order gives its streams away', async () => {
    const gap = await gapMs(`${role} that leaves`, async () => {
      expect(await member(role, 'four').stop()).toBe(0);
      await spread(role, { two: 6, three: 6 });
    });
    expect(gap).toBeLessThanOrEqual(LEAVE_MS);
    isWhole();
  });

  test('that is paused for longer than its lease, and goes on, stands down', async () => {
    const paused = member(role, 'three');
    const gap = await gapMs(`a paused ${role}`, async () => {
      paused.process.kill('SIGSTOP');
      await spread(role, { two: 12 });
    });
    expect(gap).toBeLessThanOrEqual(DEATH_MS);
    await team.untilAnswered(STREAMS, performance.now());
    paused.process.kill('SIGCONT');
    await spread(role, { two: 6, three: 6 });
    // A scheduler with nothing to publish at that moment is told of it by the registry first.
    const fenced = await team.metric(paused, `stream_infer_${role}_fenced_total`);
    console.info(`${role}: stood down from ${fenced} streams`);
    expect(fenced).toBeGreaterThanOrEqual(role === 'ingest' ? 1 : 0);
    await team.untilAnswered(STREAMS, performance.now());
    isWhole();
  });
});

test('nothing is left of the epochs before', async () => {
  const buffers = (await team.bus.manager.streams.list().next())
    .map(({ config }) => team.bus.topology.streamOfFrames(config.name))
    .filter((id) => id !== undefined);
  expect(buffers.sort()).toEqual([...STREAMS].sort());
});
