/** What an algorithm can do wrong while it runs: its window has an error result, and everything else goes on (I6, D7). */

import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { conversing, startRunner, type TestRunner } from '../harness/runner.ts';
import { dataOf, faultOf, invocationOf, RunnerCaller } from '../harness/runner-caller.ts';
import { tinyOnnx } from '../harness/tiny-onnx.ts';

/** Does what the window's time key says. */
const MOODY = `
export default class Moody {
  async run(frames, { n, key, logger }) {
    switch (key) {
      case 'throw': throw new TypeError('cannot read rtsp://user:secret@camera/1 today');
      case 'throw-nothing': throw undefined;
      case 'forever': for (;;);
      case 'pending': return new Promise(() => {});
      case 'exit': process.exit(7);
      case 'uncaught': setTimeout(() => { throw new Error('later'); }); return new Promise(() => {});
      case 'nan': return { boxes: [1, Number.NaN] };
      case 'undefined': return undefined;
      case 'cycle': { const a = {}; a.a = a; return a; }
      case 'large': return 'x'.repeat(2 ** 20);
      case 'largest': return 'x'.repeat(2 ** 20 - 2);
      case 'log': logger.warn('odd', { why: () => 1 }); return n;
      default: return n;
    }
  }
}`;

const ort = createRequire(import.meta.url).resolve('onnxruntime-node');

/** Multiplies large matrices inside ONNX Runtime for minutes, as often as the time key is not "quick". */
const NATIVE = `
import { createRequire } from 'node:module';
const ort = createRequire(import.meta.url)(${JSON.stringify(ort)});
export default class Native {
  async init({ resolvePath }) {
    this.session = await ort.InferenceSession.create(resolvePath('endless.onnx'), { intraOpNumThreads: 1 });
  }
  async run(frames, { key }) {
    if (key === 'quick') return key;
    if (key === 'slow') return new Promise((resolve) => setTimeout(resolve, 400, key));
    await this.session.run({ x: new ort.Tensor('float32', [1], [1]) });
    return key;
  }
}`;

const SIDE = 1024;
const PRODUCTS = 4096;

/** x, spread over a large square matrix, and that matrix multiplied by itself over and over. */
const endlessModel = (): Uint8Array =>
  tinyOnnx({
    inputs: [{ name: 'x', shape: [1] }],
    outputs: [{ name: `y${PRODUCTS}`, shape: [SIDE, SIDE] }],
    constants: [{ name: 'shape', shape: [2], data: BigInt64Array.from([BigInt(SIDE), BigInt(SIDE)]) }],
    nodes: [
      { op: 'Expand', inputs: ['x', 'shape'], outputs: ['y0'] },
      ...Array.from({ length: PRODUCTS }, (_, i) => ({
        op: 'MatMul',
        inputs: [`y${i}`, `y${i}`],
        outputs: [`y${i + 1}`],
      })),
    ],
  });

const CONFIGURATION = `
algorithms:
  - {name: moody, use: ./moody.mjs}
  - {name: native, use: ./native.mjs}
`;

/** Loaded before the runner: the system starts as many worker threads as it serves algorithms, and none in place of those. */
const FEW_THREADS = `
import { syncBuiltinESMExports } from 'node:module';
import threads from 'node:worker_threads';
let left = 2;
threads.Worker = class extends threads.Worker {
  constructor(...args) {
    if (left === 0) throw Object.assign(new Error('EAGAIN'), { code: 'ERR_WORKER_INIT_FAILED' });
    left -= 1;
    super(...args);
  }
};
syncBuiltinESMExports();`;

const FILES = {
  'moody.mjs': MOODY,
  'native.mjs': NATIVE,
  'few-threads.mjs': FEW_THREADS,
  'endless.onnx': endlessModel(),
};

let runner: TestRunner;
let caller: RunnerCaller;

beforeAll(async () => {
  runner = await startRunner({ configuration: CONFIGURATION, files: FILES });
  caller = new RunnerCaller(runner.grpcAddress).hello();
});
afterAll(async () => {
  caller?.close();
  await runner?.stop();
});

let n = 0;
const moodily = (key: string, timeoutMs = 10_000) => {
  n += 1;
  return caller.ask(invocationOf('moody', n, { key, timeoutMs }));
};

describe('an algorithm that', () => {
  test('throws fails that window with its own message, credentials left out (I8), and runs the next', async () => {
    const fault = faultOf(await moodily('throw'));
    expect(fault).toMatchObject({ code: 'ALGORITHM_FAILED', notStarted: false });
    expect(fault.message).toBe('algorithm "moody" threw: cannot read rtsp://***@camera/1 today');
    expect(faultOf(await moodily('throw-nothing'))).toMatchObject({ code: 'ALGORITHM_FAILED' });
    expect(dataOf(await moodily('fine'))).toBe(n);
    await eventually('the log names the place', () => /"at":"[^"]*moody\.mjs:5:\d+"/.test(runner.process.log()));
    expect(runner.process.log()).not.toContain('secret');
  });

  test.each([
    ['nan', /NaN at \$\.boxes\[1\]/],
    ['undefined', /undefined at \$/],
    ['cycle', /cycle at \$\.a/],
  ])('returns what JSON cannot hold (%s) fails with its place (R-5)', async (key, message) => {
    const fault = faultOf(await moodily(key));
    expect(fault.code).toBe('RESULT_NOT_JSON');
    expect(fault.message).toMatch(message);
  });

  test('returns more than 1 MiB fails; 1 MiB is a result (G-4)', async () => {
    expect(faultOf(await moodily('large'))).toMatchObject({ code: 'RESULT_TOO_LARGE' });
    expect(dataOf(await moodily('largest'))).toHaveLength(2 ** 20 - 2);
  });

  test('logs what cannot be logged loses the fields and not the line', async () => {
    expect(dataOf(await moodily('log'))).toBe(n);
    await eventually('the line', () => runner.process.log().includes('"msg":"odd"'));
  });

  test.each(['forever', 'pending'])(
    'does not return (%s) is answered at its limit, and another worker goes on (G-7)',
    async (key) => {
      const started = performance.now();
      const fault = faultOf(await moodily(key, 300));
      const tookMs = performance.now() - started;
      expect(fault).toMatchObject({ code: 'ALGORITHM_TIMEOUT', notStarted: false });
      expect(fault.message).toContain('timeoutMs of 300');
      expect(tookMs).toBeGreaterThanOrEqual(299);
      expect(dataOf(await moodily('fine'))).toBe(n);
      // JavaScript alone is ended, and leaves nothing behind.
      expect(await runner.metric(/workers\{algorithm="moody",state="set_aside".* (\d)/)).toBe(0);
    },
  );

  test('ends its own thread fails that window, and another worker goes on', async () => {
    const fault = faultOf(await moodily('exit'));
    expect(fault).toMatchObject({ code: 'ALGORITHM_FAILED', notStarted: false });
    expect(fault.message).toContain('process.exit(7) was called');
    expect(dataOf(await moodily('fine'))).toBe(n);
    expect(faultOf(await moodily('uncaught')).message).toContain('an exception was not caught: later');
    expect(dataOf(await moodily('fine'))).toBe(n);
    expect(await runner.metric(/runner_workers_lost_total\{algorithm="moody".* (\d+)/)).toBe(4);
  });
});

test('a runner that gets no thread for another worker answers what it has, says so, and ends to be started again', async () => {
  const other = await runner.another({ NODE_OPTIONS: `--import=${join(runner.directory, 'few-threads.mjs')}` });
  const exited = once(other.process, 'exit');
  await conversing(other, async (talk) => {
    talk.hello();
    const overran = await talk.ask(invocationOf('moody', 1, { key: 'forever', timeoutMs: 300 }));
    expect(faultOf(overran)).toMatchObject({ code: 'ALGORITHM_TIMEOUT', notStarted: false });
  });
  expect(await exited).toEqual([4, null]);
  expect(other.log()).toMatch(
    /"code":"THREAD_REFUSED","msg":"algorithm \\"moody\\": the system starts no thread for it \(EAGAIN\)/,
  );
});

describe('a worker that has loaded a native module', () => {
  const native = (to: RunnerCaller, id: string, key: string, timeoutMs: number) =>
    to.ask(invocationOf('native', 1, { id, key, timeoutMs }));

  test('is set aside past its limit, leaves by itself when it comes back, and another takes its place (D7)', async () => {
    expect(faultOf(await native(caller, 'a', 'slow', 100))).toMatchObject({ code: 'ALGORITHM_TIMEOUT' });
    expect(await runner.metric(/workers\{algorithm="native",state="set_aside".* (\d)/)).toBeLessThanOrEqual(1);
    expect(dataOf(await native(caller, 'b', 'quick', 5_000))).toBe('quick');
    await eventually(
      'it has left',
      async () => (await runner.metric(/workers\{algorithm="native",state="set_aside".* (\d)/)) === 0,
    );
    expect(runner.process.process.exitCode).toBeNull();
  });

  test('of which two do not come back: the runner finishes what it has and asks to be restarted with 75 (D7)', async () => {
    const other = await runner.another();
    const exited = once(other.process, 'exit');
    await conversing(other, async (talk) => {
      talk.hello();
      expect(faultOf(await native(talk, 'a', 'endless', 200))).toMatchObject({ code: 'ALGORITHM_TIMEOUT' });
      expect(dataOf(await native(talk, 'b', 'quick', 5_000))).toBe('quick');
      talk.invoke(invocationOf('moody', 1, { id: 'c', key: 'pending', timeoutMs: 1_000 }));
      expect(faultOf(await native(talk, 'd', 'endless', 200))).toMatchObject({ code: 'ALGORITHM_TIMEOUT' });
      expect(faultOf(await native(talk, 'e', 'quick', 5_000))).toMatchObject({ notStarted: true });
      // What it has: the limit of this one is later than the drain begins.
      expect(faultOf(await talk.result('c'))).toMatchObject({ code: 'ALGORITHM_TIMEOUT', notStarted: false });
    });
    expect(await exited).toEqual([75, null]);
    expect(other.log()).toContain('2 workers do not come back');
  });

  test('does not keep a runner that is told to stop, even inside native code', async () => {
    const other = await runner.another();
    const exited = once(other.process, 'exit');
    await conversing(other, async (talk) => {
      talk.hello();
      await native(talk, 'a', 'endless', 200);
      other.process.kill('SIGTERM');
      expect(await exited).toEqual([0, null]);
    });
  });
});
