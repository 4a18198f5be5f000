import { Fault, type FaultCode } from '@stream-infer/core/fault';
import type { StreamReport } from '@stream-infer/core/stream-report';
import { expect, test } from 'vitest';
import { DesiredStreams } from './desired-streams.ts';
import type { StreamsClient } from './streams-client.ts';

const OWNER = 'site';
const report = (id: string, revision: number, owner: string | null = OWNER): StreamReport => ({
  ...{ id, run: 'r1', state: 'running', results: 1, errors: 0, end: null, fault: null, source: null, algorithms: {} },
  ...{ definition: { id, source: '/a.mp4' }, owner, revision },
});

/** A registry in which some streams are refused, each so often as there are codes. */
function registry(standing: readonly string[], refusals: Readonly<Record<string, FaultCode[]>> = {}) {
  const streams = new Map(standing.map((id) => [id, report(id, 1)]));
  const puts: string[] = [];
  const client = {
    list: async () => [...streams.values()],
    async put({ id }) {
      puts.push(id);
      const code = refusals[id]?.shift();
      if (code) throw new Fault(code, 'algorithms[0] is nobody');
      const written = streams.get(id) ?? report(id, 2);
      streams.set(id, written);
      return written;
    },
    async remove(id) {
      streams.delete(id);
    },
  } satisfies Pick<StreamsClient, 'list' | 'put' | 'remove'>;
  return { client, puts, ids: () => [...streams.keys()] };
}

const desired = (client: Pick<StreamsClient, 'list' | 'put' | 'remove'>, ...ids: string[]): DesiredStreams =>
  new DesiredStreams(
    client,
    ids.map((id) => ({ id, source: '/a.mp4' })),
    { owner: OWNER, advice: () => 'give it another id' },
  );

test('what is listed is written and what is not is removed, of its own', async () => {
  const { client, ids } = registry(['old', 'same']);
  const streams = desired(client, 'same', 'new');
  await streams.apply();
  expect(streams.written).toEqual({ added: ['new'], changed: [], unchanged: ['same'], removed: ['old'] });
  expect(ids()).toEqual(['same', 'new']);
});

test('one that is refused holds up none of the others, is named, and nothing is removed', async () => {
  const { client, ids } = registry(['old'], { d: ['CONFIG_INVALID'] });
  const streams = desired(client, 'd', 'e');
  await streams.apply();
  expect(streams.written).toEqual({ added: ['e'], changed: [], unchanged: [], removed: [] });
  expect([...streams.refused].map(([id, fault]) => [id, String(fault)])).toEqual([
    ['d', 'CONFIG_INVALID: stream d: algorithms[0] is nobody'],
  ]);
  expect(ids()).toEqual(['old', 'e']);
});

test('what passes by itself is thrown, and the next try writes that alone and tells of all', async () => {
  const { client, puts } = registry(['old'], { a: ['CONFIG_UNKNOWN_ALGORITHM'] });
  const streams = desired(client, 'a', 'e');
  await expect(streams.apply()).rejects.toMatchObject({ code: 'CONFIG_UNKNOWN_ALGORITHM' });
  expect(streams.written.removed).toEqual([]);
  await streams.apply();
  expect(puts).toEqual(['a', 'e', 'a']);
  expect(streams.written).toEqual({ added: ['e', 'a'], changed: [], unchanged: [], removed: ['old'] });
  expect(streams.refused.size).toBe(0);
});

test('what is refused for good is not written again', async () => {
  const { client, puts } = registry([], { a: ['CONFIG_UNKNOWN_ALGORITHM'], b: ['BUS_NO_ROOM'] });
  const streams = desired(client, 'a', 'b');
  await expect(streams.apply()).rejects.toMatchObject({ code: 'CONFIG_UNKNOWN_ALGORITHM' });
  await streams.apply();
  expect(puts).toEqual(['a', 'b', 'a']);
  expect([...streams.refused.keys()]).toEqual(['b']);
});

test('a fault of the whole API ends the try, and what was written is known', async () => {
  const { client, puts } = registry([], { b: ['API_UNREACHABLE'] });
  const streams = desired(client, 'a', 'b', 'c');
  await expect(streams.apply()).rejects.toMatchObject({ code: 'API_UNREACHABLE' });
  expect(puts).toEqual(['a', 'b']);
  expect(streams.written.added).toEqual(['a']);
});

test("another owner's stream is refused before anything is written", async () => {
  const { client, puts } = registry(['a']);
  const streams = new DesiredStreams(
    client,
    [
      { id: 'new', source: '/a.mp4' },
      { id: 'a', source: '/a.mp4' },
    ],
    {
      owner: 'other',
      advice: (id, owner) => `${id} is ${owner}'s`,
    },
  );
  await expect(streams.apply()).rejects.toThrow("stream a was applied by site, not by other: a is site's");
  expect(puts).toEqual([]);
});
