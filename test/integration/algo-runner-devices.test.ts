/** Workers of one algorithm whose models do not all get the GPU that is wanted: each that does not is told of, and answers under its own version. */

import { openRunners } from '@stream-infer/bus/registry';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { startRunner, type TestRunner } from '../harness/runner.ts';
import { dataOf, faultOf, invocationOf, RunnerCaller } from '../harness/runner-caller.ts';

/** The GPU has room for one model: who makes the file has it. Told to end, a worker ends its thread. */
const CROWDED = `
import { closeSync, openSync } from 'node:fs';
export default class Crowded {
  init(context) {
    try {
      closeSync(openSync(context.resolvePath('taken'), 'wx'));
      this.device = 'gpu';
      context.placed('gpu');
    } catch {
      this.device = 'cpu';
      context.placed('cpu', 'the GPU has no memory left');
    }
  }
  async run(frames, { n }) {
    if (n === 13) process.exit(1);
    await new Promise((resolve) => setTimeout(resolve, 300));
    return this.device;
  }
}
`;

let runner: TestRunner;
let caller: RunnerCaller;

beforeAll(async () => {
  runner = await startRunner({
    configuration: 'algorithms: [{name: crowded, use: ./crowded.mjs, concurrency: 2}]',
    files: { 'crowded.mjs': CROWDED },
  });
  caller = new RunnerCaller(runner.grpcAddress).hello();
});
afterAll(async () => {
  caller?.close();
  await runner?.stop();
});

const placed = (device: string, fallback: boolean): Promise<number> =>
  runner.metric(
    new RegExp(
      `^stream_infer_runner_device\\{algorithm="crowded",device="${device}",fallback="${fallback}".* (\\d+)$`,
      'm',
    ),
  );
const fallbacks = (): Promise<number> => runner.metric(/^stream_infer_faults_total\{.*code="GPU_FALLBACK".*\} (\d+)$/m);
/** Of two windows at the same time: where each ran → its result's version. */
async function versions(from: number): Promise<ReadonlyMap<unknown, string>> {
  const results = await Promise.all([from, from + 1].map((n) => caller.ask(invocationOf('crowded', n))));
  return new Map(results.map((result) => [dataOf(result), result.version]));
}
const registered = async (): Promise<string | undefined> =>
  (await (await openRunners(runner.bus)).entries())[0]?.value.algorithms[0]?.version;

test('a worker that falls back to the CPU beside one on the GPU is warned of and counted, and both are shown', async () => {
  expect(await placed('gpu', false)).toBe(1);
  expect(await placed('cpu', true)).toBe(1);
  expect(await fallbacks()).toBe(1);
  expect(runner.process.log()).toMatch(
    /"level":"warn".*"code":"GPU_FALLBACK".*runs on the CPU: the GPU has no memory left/,
  );
});

test('a result has the version of the worker that ran it', async () => {
  const found = await versions(1);
  expect(new Set(found.keys())).toEqual(new Set(['cpu', 'gpu']));
  expect(found.get('cpu')).not.toBe(found.get('gpu'));
  for (const version of found.values())
    expect(await runner.metric(new RegExp(`runner_version\\{algorithm="crowded",version="${version}".* (\\d+)`))).toBe(
      1,
    );
});

test('where no worker on the GPU is left, the runner says so: in its metrics, and by the version that it is registered with', async () => {
  const { cpu } = Object.fromEntries(await versions(3));
  // Whichever takes it: until the one on the GPU has.
  await eventually('none is on the GPU', async () => {
    if (Number.isNaN(await placed('gpu', false))) return true;
    expect(faultOf(await caller.ask(invocationOf('crowded', 13))).code).toBe('ALGORITHM_FAILED');
    await eventually(
      'two workers',
      async () => (await runner.metric(/runner_workers\{algorithm="crowded",state="idle".* (\d+)/)) === 2,
    );
    return false;
  });
  expect(await placed('cpu', true)).toBe(1);
  await eventually('another version is registered', async () => (await registered()) === cpu);
  expect([...(await versions(5)).keys()]).toEqual(['cpu']);
});
