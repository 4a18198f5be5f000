/** Conversations with a runner: credits, answers, cancellation, budgets, and what is refused. */

import { join } from 'node:path';
import { Encoding, PixelFormat } from '@stream-infer/proto/stream_infer/v1/frame';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { ECHO, startRunner, type TestRunner } from '../harness/runner.ts';
import { dataOf, faultOf, grayFrame, invocationOf, RunnerCaller } from '../harness/runner-caller.ts';

const CONFIGURATION = `
algorithms:
  - {name: echo, use: ./echo.mjs, options: {a: 1}}
  - {name: slow, use: ./echo.mjs, options: {holdMs: 400}}
  - {name: wide, use: ./echo.mjs, options: {holdMs: 400}, concurrency: 3}
`;

let runner: TestRunner;
let caller: RunnerCaller;

beforeAll(async () => {
  runner = await startRunner({ configuration: CONFIGURATION, files: { 'echo.mjs': ECHO } });
  caller = new RunnerCaller(runner.grpcAddress).hello();
});
afterAll(async () => {
  caller?.close();
  await runner?.stop();
});

const slowIsBusy = (): Promise<boolean> =>
  eventually('slow is busy', async () => (await runner.metric(/workers\{algorithm="slow",state="busy".* (\d)/)) === 1);

describe('a conversation', () => {
  test('that does not begin with Hello is refused (G-2)', () =>
    runner.conversing(async (other) => {
      other.invoke(invocationOf('echo', 1));
      const ended = await eventually('the refusal', () => other.ended);
      expect(ended.code).toBe(9);
      expect(ended.details).toContain('Hello');
    }));

  test('hears at intervals that the runner lives (G-10)', () =>
    runner.conversing(async (other) => {
      other.hello();
      await eventually('three signs of life', () => other.alive >= 3);
    }));

  test('grants concurrency + 1 credits of each algorithm, and one more with each answer (G-3)', () =>
    runner.conversing(async (other) => {
      other.hello();
      await eventually('credits', () => Object.keys(other.granted).length === 3);
      expect(other.granted).toEqual({ echo: 2, slow: 2, wide: 4 });
      await other.ask(invocationOf('echo', 1));
      await eventually('another credit', () => other.granted.echo === 3);
      const order = other.heard.slice(3).map(({ message }) => message?.$case);
      expect(order).toEqual(['result', 'credits']);
    }));

  test('is ended when the caller sends without a credit, or for what is not served (G-3)', async () => {
    await runner.conversing(async (other) => {
      other.hello();
      for (const n of [1, 2, 3]) other.invoke(invocationOf('slow', n));
      expect(await eventually('the refusal', () => other.ended)).toMatchObject({
        code: 8,
        details: expect.stringContaining('cam/r1/slow/3/1 of slow was sent without a credit'),
      });
    });
    await runner.conversing(async (other) => {
      other.hello();
      other.invoke(invocationOf('nobody', 1));
      expect((await eventually('the refusal', () => other.ended)).code).toBe(8);
    });
  });

  test('ends with the last answer when the caller has said all it wants to', () =>
    runner.conversing(async (other) => {
      other.hello();
      other.invoke(invocationOf('slow', 1));
      other.halfClose();
      expect(await eventually('the end', () => other.ended)).toEqual({ code: 0, details: 'OK' });
      expect(other.results).toHaveLength(1);
    }));
});

describe('an invocation', () => {
  test('is handed its frames and context, and answered in canonical JSON with timings and version (G-4, G-9, R-5)', async () => {
    const inputs = { faces: Buffer.from('{"boxes":[]}') };
    const window = { frames: [grayFrame(3), grayFrame(5, { capturedAtMs: 1_700_000_000_123 })] };
    const result = await caller.ask(invocationOf('echo', 5, { algorithm: 'renamed', key: '0.2', window, inputs }));
    expect(dataOf(result)).toEqual({
      name: 'echo',
      options: { a: 1 },
      stream: 'cam',
      n: 5,
      key: '0.2',
      inputs: { faces: { boxes: [] } },
      resolved: join(runner.directory, 'model.bin'),
      frames: [
        {
          index: 30,
          n: 3,
          position: 0.12,
          timestampMs: 120,
          width: 4,
          height: 2,
          pixelFormat: 'gray',
          sourceWidth: 8,
          sourceHeight: 4,
          data: [3, 3, 3, 3, 3, 3],
          bytes: 8,
        },
        expect.objectContaining({ index: 50, n: 5, capturedAtMs: 1_700_000_000_123, data: [5, 5, 5, 5, 5, 5] }),
      ],
    });
    const text = result.outcome?.$case === 'data' ? result.outcome.value.toString() : '';
    expect(text.startsWith('{"frames":[{"bytes":8,"data":[3,3,3,3,3,3],"height":2,"index":30,')).toBe(true);
    expect(result.version).toBe('echo-1');
    expect(result.timings?.runUs).toBeGreaterThan(0);
  });

  test('runs beside others up to the concurrency of its algorithm, and no further (G-12)', async () => {
    const timed = async (definition: string): Promise<number> => {
      const started = performance.now();
      await Promise.all([11, 12].map((n) => caller.ask(invocationOf(definition, n))));
      return performance.now() - started;
    };
    expect(await timed('wide')).toBeLessThan(790);
    expect(await timed('slow')).toBeGreaterThan(790);
  });

  test('that was cancelled before it started is given back; one that has started is answered (G-5)', async () => {
    const [first, second] = [invocationOf('slow', 21), invocationOf('slow', 22)];
    caller.invoke(first);
    await slowIsBusy();
    caller.invoke(second);
    caller.cancel(second.id);
    caller.cancel(first.id);
    expect(faultOf(await caller.result(second.id))).toMatchObject({ code: 'NOT_STARTED', notStarted: true });
    expect(caller.results.some(({ invocationId }) => invocationId === first.id)).toBe(false);
    expect(dataOf(await caller.result(first.id))).toMatchObject({ n: 21 });
  });

  test('that waited longer than its budget is given back', async () => {
    const late = invocationOf('slow', 32, { budgetMs: 50 });
    caller.invoke(invocationOf('slow', 31));
    const fault = faultOf(await caller.ask(late));
    expect(fault).toMatchObject({ code: 'NOT_STARTED', notStarted: true });
    expect(fault.message).toContain('budgetMs of 50');
    await caller.result('cam/r1/slow/31/1');
  });

  test('of a caller that went away is forgotten, and others go on (I6)', async () => {
    await runner.conversing(async (other) => {
      other.hello();
      other.invoke(invocationOf('slow', 41));
      other.invoke(invocationOf('slow', 42));
      await slowIsBusy();
    });
    expect(dataOf(await caller.ask(invocationOf('slow', 43)))).toMatchObject({ n: 43 });
  });

  test.each([
    ['bytes that its geometry does not have', grayFrame(1, { width: 5 }), /holds 8 bytes, and 5x2 gray is 10/],
    ['no pixel format', grayFrame(1, { pixelFormat: PixelFormat.PIXEL_FORMAT_UNSPECIFIED }), /no pixel format/],
    ['no content', grayFrame(1, { content: undefined }), /neither a reference nor bytes/],
    ['no JPEG where one is said', grayFrame(1, { encoding: Encoding.ENCODING_JPEG }), /said to be JPEG/],
  ])('with %s is a mismatch', async (_, frame, message) => {
    const fault = faultOf(await caller.ask(invocationOf('echo', 51, { window: { frames: [frame] } })));
    expect(fault).toMatchObject({ code: 'FRAME_MISMATCH', notStarted: false });
    expect(fault.message).toMatch(message);
    caller.heard.length = 0;
  });
});
