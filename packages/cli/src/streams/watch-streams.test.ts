import type { StreamReport } from '@stream-infer/core/stream-report';
import { expect, test } from 'vitest';
import type { StreamsClient } from './streams-client.ts';
import { watchStreams } from './watch-streams.ts';

const report = (id: string, isRegistered: boolean): StreamReport => ({
  ...{ id, run: 'r1', state: 'ended', results: 1, errors: 0, end: null, fault: null, source: null, algorithms: {} },
  ...{ definition: isRegistered ? { id, source: '/a.mp4' } : null, owner: null, revision: isRegistered ? 1 : null },
});

const told = async (ids: readonly string[], looks: readonly (readonly StreamReport[])[]): Promise<string[]> => {
  const lines: string[] = [];
  let look = 0;
  const client = {
    get: async (id: string) => report(id, true),
    list: async () => looks[look++] ?? [],
  } as Partial<StreamsClient> as StreamsClient;
  await watchStreams(client, {
    ids,
    describe: ({ id, definition }) => `${id} ${definition === null ? 'removed' : 'there'}`,
    print: (line) => lines.push(line),
    onFault: (line) => lines.push(line),
    isRead: () => look < looks.length,
  });
  return lines;
};

test('what is removed is told of where it was there before, or is asked for by its id', async () => {
  const looks = [
    [report('gone', false), report('gate', true)],
    [report('gone', false), report('gate', false)],
  ];
  expect(await told([], looks)).toEqual(['gate there', 'gate removed']);
  expect(await told(['gone'], looks.slice(1))).toEqual(['gone removed']);
});
