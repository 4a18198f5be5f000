/**
 * The runner of examples/python-runner, which is written from docs/protocol.md: it runs the recorded cases of the original beside ours and
 * in its place, and keeps the rules of a conversation.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { directGet } from '@stream-infer/bus/direct-get';
import { openRunners, openRuns, openStreams } from '@stream-infer/bus/registry';
import type { ResultRecord } from '@stream-infer/core/result-record';
import type { Invocation } from '@stream-infer/proto/stream_infer/v1/invocation';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { startNatsServer, type TestNatsServer } from '../harness/nats-server.ts';
import { root } from '../harness/programs.ts';
import { health, type PythonRunner, type PythonWorkshop, pythonWorkshop } from '../harness/python-runner.ts';
import {
  callsOf,
  recordedCases as cases,
  type RecordedCall,
  type RecordedCase,
  recordedSpec,
} from '../harness/recorded-cases.ts';
import { resultLog } from '../harness/result-log.ts';
import { dataOf, faultOf, grayFrame, invocationOf, RunnerCaller } from '../harness/runner-caller.ts';
import { type ServiceProcess, startService } from '../harness/service-process.ts';
import { startTestScheduler, type TestScheduler } from '../harness/test-scheduler.ts';

const example = join(root, 'examples', 'python-runner', 'algos.py');
const ours = join(root, 'test', 'conformance', 'read-blocks.mjs');

let directory: string;
let made: PythonWorkshop | string;
let server: TestNatsServer;
let bus: Bus;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-python-runner-'));
  made = await pythonWorkshop();
  if (typeof made === 'string') return;
  server = await startNatsServer();
  bus = await connectBus({ url: server.url, prefix: 'python', name: 'python-runner-test' });
}, 240_000);
afterAll(async () => {
  if (typeof made === 'object') await made.close();
  await bus?.close();
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});
beforeEach(({ skip }) => {
  if (typeof made === 'string') skip(made);
});

const startPython = (module: string): Promise<PythonRunner> => {
  if (typeof made === 'string') throw new Error(made);
  return made.start(module, '--nats', server.url, '--prefix', 'python');
};

describe('the recorded cases of the original', () => {
  let services: ServiceProcess[] = [];
  let scheduler: TestScheduler;
  const environment = () => ({ NATS_URL: server.url, NATS_PREFIX: 'python' });

  beforeAll(async () => {
    if (typeof made === 'string') return;
    scheduler = await startTestScheduler(environment());
    services = [scheduler, await startService('ingest', environment())];
  });
  afterAll(async () => {
    await Promise.all(services.map((service) => service.stop()));
  });

  /** Plays all cases at once, and tells the records of each by its name. */
  const play = async (round: string): Promise<ReadonlyMap<string, readonly ResultRecord[]>> => {
    const streams = await openStreams(bus);
    const idOf = (one: RecordedCase): string => `${one.name.replaceAll('.', '_')}-${round}`;
    for (const one of cases) await streams.put(idOf(one), recordedSpec(one, idOf(one), 'ReadBlocks'));
    const runs = await openRuns(bus);
    for (const one of cases) {
      await eventually(`${idOf(one)} has ended`, async () => {
        const run = (await runs.get(idOf(one)))?.value.run;
        const subject = run === undefined ? undefined : bus.topology.endSubject(idOf(one), run);
        return (
          subject !== undefined &&
          (await directGet(bus, bus.topology.resultsStream, { last_by_subj: subject })) !== undefined
        );
      });
    }
    const { records } = await resultLog(bus);
    return new Map(cases.map((one) => [one.name, records.filter(({ stream }) => stream === idOf(one))]));
  };

  const expectRecordedCalls = (played: ReadonlyMap<string, readonly ResultRecord[]>): void => {
    for (const one of cases) {
      for (const { name } of one.algos) {
        const records = (played.get(one.name) ?? []).filter(({ algorithm }) => algorithm === name);
        const recorded: Readonly<Record<string, readonly RecordedCall[]>> = one.calls;
        expect(callsOf(records), `${one.name} ${name}`).toEqual(recorded[name] ?? []);
        expect(new Set(records.map(({ attempts }) => attempts))).toEqual(new Set(records.length > 0 ? [1] : []));
      }
    }
  };

  const versionsOf = (played: ReadonlyMap<string, readonly ResultRecord[]>): Set<string> =>
    new Set([...played.values()].flat().map(({ version }) => version));
  const connected = (count: number) =>
    eventually(`${count} runners are connected`, async () => {
      return (await scheduler.metric('stream_infer_runners_connected')) === count;
    });

  test('beside our runner, and then in its place, it is handed what the original was handed', async () => {
    const python = await startPython(example);
    const configuration = join(directory, 'ours.json');
    await writeFile(configuration, JSON.stringify({ algorithms: [{ name: 'ReadBlocks', use: ours }] }));
    const own = await startService('algo-runner', { ...environment(), STREAM_INFER_CONFIG: configuration });
    await connected(2);
    const beside = await play('beside');
    expectRecordedCalls(beside);
    expect(versionsOf(beside).size).toBe(2);

    await own.stop();
    await connected(1);
    const alone = await play('alone');
    expectRecordedCalls(alone);
    expect(versionsOf(alone)).toEqual(new Set(['1']));

    expect(await python.stop()).toEqual({ status: 0, stderr: '' });
    expect(await (await openRunners(bus)).entries()).toEqual([]);
  });
});

const scripted = join(root, 'test', 'harness', 'scripted_algos.py');

describe('in a conversation', () => {
  const NOT_FOUND = 5;
  const RESOURCE_EXHAUSTED = 8;
  const FAILED_PRECONDITION = 9;
  let python: PythonRunner;
  const callers: RunnerCaller[] = [];

  beforeAll(async () => {
    if (typeof made === 'string') return;
    python = await startPython(scripted);
  });
  afterEach(() => {
    for (const caller of callers.splice(0)) caller.close();
  });

  const call = (): RunnerCaller => {
    const caller = new RunnerCaller(python.address);
    callers.push(caller);
    return caller;
  };
  /** Greeted, with its credits. */
  const converse = async (): Promise<RunnerCaller> => {
    const caller = call().hello();
    await eventually('it has credits', () => caller.granted.Scripted !== undefined);
    return caller;
  };
  let asked = 100;
  const invocation = (what: number, differs: Partial<Invocation> = {}): Invocation => {
    asked += 1;
    const content = { $case: 'inline', value: Buffer.alloc(8, what) } as const;
    return invocationOf('Scripted', asked, { window: { frames: [grayFrame(asked, { content })] }, ...differs });
  };
  const codeOf = async (caller: RunnerCaller, sent: Invocation): Promise<string> =>
    faultOf(await caller.ask(sent)).code;

  test('it is greeted first, and grants what it runs and one more (G-2, G-3, G-10)', async () => {
    const rude = call();
    rude.invoke(invocation(9));
    await eventually('it is refused', () => rude.ended?.code === FAILED_PRECONDITION);
    const caller = await converse();
    expect(caller.granted).toEqual({ Scripted: 2 });
    await eventually('it says that it lives, again and again', () => caller.alive > 2);
    caller.halfClose();
    await eventually('it ends', () => caller.ended?.code === 0);
  });

  test('what it has no credit for, or does not serve, ends the conversation (G-3)', async () => {
    const stranger = await converse();
    stranger.invoke(invocation(9, { definition: 'Nobody' }));
    await eventually('it is refused', () => stranger.ended?.code === RESOURCE_EXHAUSTED);
    const greedy = await converse();
    for (let sent = 0; sent < 3; sent += 1) greedy.invoke(invocation(1));
    await eventually('it is refused', () => greedy.ended?.code === RESOURCE_EXHAUSTED);
  });

  test('it answers inline frames in canonical JSON, once each, and grants again (G-4, G-8, G-9, R-5)', async () => {
    const caller = await converse();
    const twice = invocation(9);
    const [frame] = twice.window?.frames ?? [];
    const result = await caller.ask({
      ...twice,
      window: { frames: [frame, frame].filter((one) => one !== undefined) },
    });
    expect(dataOf(result)).toMatchObject({
      shapes: [
        [2, 4],
        [2, 4],
      ],
      sum: 72,
    });
    expect(String(result.outcome?.value)).toMatch(
      /^\{"runs":\d+,"shapes":\[\[2,4\],\[2,4\]\],"small":1e-7,"sum":72\}$/,
    );
    await eventually('it grants again', () => caller.granted.Scripted === 3);
    expect(caller.results).toHaveLength(1);
  });

  test('what an algorithm does wrong is a fault of that window alone (G-4, G-7)', async () => {
    const caller = await converse();
    const thrown = faultOf(await caller.ask(invocation(2)));
    expect(thrown).toMatchObject({ code: 'ALGORITHM_FAILED', notStarted: false });
    expect(thrown.message).not.toContain('\n');
    expect(await codeOf(caller, invocation(3))).toBe('ALGORITHM_FAILED');
    expect(await codeOf(caller, invocation(4))).toBe('RESULT_NOT_JSON');
    expect(await codeOf(caller, invocation(5))).toBe('RESULT_TOO_LARGE');
    expect(await codeOf(caller, invocation(1, { timeoutMs: 100 }))).toBe('ALGORITHM_TIMEOUT');
    expect(dataOf(await caller.ask(invocation(9)))).toMatchObject({ runs: 1 });
  });

  test('frames that are gone, or not what the invocation says, are told (F-8)', async () => {
    const caller = await converse();
    const bucket = 'KV_python_runners';
    const referring = (sequence: number) =>
      invocation(9, {
        window: { frames: [grayFrame(1, { content: { $case: 'reference', value: { jetstream: bucket, sequence } } })] },
      });
    expect(await codeOf(caller, referring(1_000_000))).toBe('FRAME_GONE');
    const { state } = await bus.manager.streams.info(bucket);
    expect(await codeOf(caller, referring(state.last_seq))).toBe('FRAME_MISMATCH');
    const lying = invocation(9, { window: { frames: [grayFrame(1, { width: 5 })] } });
    expect(await codeOf(caller, lying)).toBe('FRAME_MISMATCH');
  });

  test('what waits is given back when it is cancelled or stale, and its place is kept (G-5)', async () => {
    const caller = await converse();
    const [running, cancelled, next] = [invocation(1), invocation(9), invocation(9)];
    caller.invoke(running);
    caller.invoke(cancelled);
    caller.cancel(cancelled.id);
    expect(faultOf(await caller.result(cancelled.id))).toMatchObject({ code: 'NOT_STARTED', notStarted: true });
    const other = await converse();
    const [behind, marker] = [invocation(9, { stream: 'other' }), invocation(9, { stream: 'marker' })];
    other.invoke(behind);
    other.invoke(marker);
    other.cancel(marker.id);
    await other.result(marker.id);
    const first = dataOf(await caller.ask(next)) as { runs: number };
    expect(dataOf(await other.result(behind.id))).toMatchObject({ runs: first.runs + 1 });
    const [again, stale] = [invocation(1), invocation(9, { budgetMs: 1 })];
    caller.invoke(again);
    caller.invoke(stale);
    expect(faultOf(await caller.result(stale.id))).toMatchObject({ code: 'NOT_STARTED', notStarted: true });
  });

  test('it tells what it serves, and that it is well (G-11)', async () => {
    const caller = call();
    const described = await promisify(caller.client.describe.bind(caller.client))({});
    const { address, id, version } = { ...python, version: '1' };
    expect(described).toMatchObject({
      runner: id,
      algorithms: [{ definition: 'Scripted', version, concurrency: 1, maxBatch: 1 }],
    });
    expect(await health(address, '')).toEqual(Buffer.from([8, 1]));
    expect(await health(address, 'stream_infer.v1.AlgoRunnerService')).toEqual(Buffer.from([8, 1]));
    await expect(health(address, 'another')).rejects.toMatchObject({ code: NOT_FOUND });
  });

  test('it leaves the registry, answers what has started and gives back the rest when it is told to stop (G-1, G-6)', async () => {
    const runners = await openRunners(bus);
    const beat = async () => (await runners.get(python.id))?.value.beat ?? 0;
    const first = await beat();
    await eventually('it beats', async () => (await beat()) > first);
    const caller = await converse();
    const [running, cancelled, waiting] = [invocation(1), invocation(9), invocation(9)];
    caller.invoke(running);
    caller.invoke(cancelled);
    caller.cancel(cancelled.id);
    await caller.result(cancelled.id);
    caller.invoke(waiting);
    const stopped = python.stop();
    expect(faultOf(await caller.result(waiting.id))).toMatchObject({ code: 'NOT_STARTED', notStarted: true });
    expect(caller.heard.some(({ message }) => message?.$case === 'draining')).toBe(true);
    expect(await runners.get(python.id)).toBeUndefined();
    expect(dataOf(await caller.result(running.id))).toMatchObject({ sum: 8 });
    expect(await stopped).toEqual({ status: 0, stderr: '' });
    expect(caller.ended?.code).toBe(0);
  });
});
