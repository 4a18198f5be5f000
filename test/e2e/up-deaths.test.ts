/** `stream-infer up` while parts of it die: each death is told when it happens, and what it means for the streams. */

import type { StreamReport } from '@stream-infer/core/stream-report';
import { expect, test } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { descendants, findProcess } from '../harness/process-tree.ts';
import type { Up } from '../harness/up.ts';
import { upWorld } from '../harness/up-world.ts';

const world = upWorld();

async function kill({ child }: Up, name: string): Promise<void> {
  process.kill(await findProcess(await descendants(child.pid ?? 0), name), 'SIGKILL');
}

test('that a process died is told when it dies, of whichever it is', async () => {
  const up = await world.start('--algorithm', 'stats=frame-stats,interval=1');
  const { told } = up;
  for (const name of ['algo-runner', 'ingest', 'scheduler', 'collector', 'nats-server']) {
    await kill(up, name);
    const line = `SERVICE_DIED: ${name} ended by SIGKILL: it is started again`;
    await eventually(`${name} is told of`, () => told().split('\n').includes(line));
  }
  expect(told()).not.toContain('more of these');
});

test('that the bus took frames with it is told once for all streams, and that they play again', async () => {
  const up = await world.start('--algorithm', 'stats=frame-stats,interval=1');
  const { told } = up;
  const ids = ['yard', 'gate', 'lobby', 'dock'];
  for (const id of ids) await up.streams('add', id, 'lavfi:testsrc=size=64x48:rate=10', '--mode', 'realtime');
  const whole = JSON.stringify(ids.map(() => 'playing'));
  const states = async (): Promise<string> => {
    const { streams } = (await (await fetch(`${up.apiUrl}/v1/streams`)).json()) as { streams: StreamReport[] };
    return JSON.stringify(streams.map(({ source }) => source?.state));
  };
  await eventually('all play', async () => (await states()) === whole);
  await kill(up, 'nats-server');
  await eventually(
    'it is told that they play again',
    () => told().match(/^stream \w+: it plays again$/gm)?.length === 3,
  );
  await eventually('all play again', async () => (await states()) === whole);
  // What else the outage broke, such as a trim of stored results, is told beside it.
  expect(told().match(/^BUS_FAILED.*frame buffer.*$/gm)).toEqual([
    expect.stringMatching(
      /^BUS_FAILED: the frame buffer is gone, .*: the frames in flight are lost, and the source is opened/,
    ),
  ]);
});
