import { describe, expect, test } from 'vitest';
import { parseAlgorithmFlag, suspectOptions } from './algorithm-flag.ts';

test('keys of the schedule go to the definition, all others to the options, numbers and booleans as such', () => {
  expect(
    parseAlgorithmFlag(
      'faces=onnx-detector,model=m.onnx,family=ultraface,interval=1,frameCount=2,maxBatch=8,scoreThreshold=.7',
    ),
  ).toEqual({
    name: 'faces',
    use: 'onnx-detector',
    interval: '1',
    frameCount: 2,
    concurrency: 1,
    maxBatch: 8,
    expectedMs: 100,
    maxDelayMs: 5,
    options: { model: 'm.onnx', family: 'ultraface', scoreThreshold: 0.7 },
  });
  expect(parseAlgorithmFlag('s=frame-stats,hash=true,a=-1.5e3,b=null,c=1/3,d=007,e=.5').options).toEqual({
    hash: true,
    a: -1500,
    b: null,
    c: '1/3',
    d: '007',
    e: 0.5,
  });
});

test('dots nest, and brackets, braces and quotes hold commas', () => {
  expect(
    parseAlgorithmFlag('f=x,nms.iou=0.5,nms.classAgnostic=false,labels=["a","b"],box={"w":1,"h":2},t="1,2"').options,
  ).toEqual({
    nms: { iou: 0.5, classAgnostic: false },
    labels: ['a', 'b'],
    box: { w: 1, h: 2 },
    t: '1,2',
  });
});

test('lists need no quotes around their words, and numbers are places', () => {
  expect(
    parseAlgorithmFlag('f=x,labels=[cat, dog],mean=[1,.5],empty=[],inputs.1.name=b,inputs.0.name=a,inputs.0.scale=2')
      .options,
  ).toEqual({
    labels: ['cat', 'dog'],
    mean: [1, 0.5],
    empty: [],
    inputs: [{ name: 'a', scale: 2 }, { name: 'b' }],
  });
  expect(parseAlgorithmFlag('f=x,box={"w":1},box.h=2').options).toEqual({ box: { w: 1, h: 2 } });
});

test('an option that looks like a key of the schedule is suspect', () => {
  expect(suspectOptions(parseAlgorithmFlag('s=./t.mjs,intervall=1,model=m.onnx,threshold=2'))).toEqual([
    '--algorithm s: intervall is handed to the algorithm as an option of its own: did you mean interval?',
  ]);
});

test('an interval may be a fraction or a decimal of any length', () => {
  expect(parseAlgorithmFlag('f=x,interval=1/3').interval).toBe('1/3');
  expect(parseAlgorithmFlag('f=x,interval=0.04').interval).toBe('0.04');
});

test('without a name, what is used gives it', () => {
  expect(parseAlgorithmFlag('frame-stats,interval=2')).toMatchObject({ name: 'frame-stats', use: 'frame-stats' });
  expect(parseAlgorithmFlag('./my/counter.v2.mjs')).toMatchObject({ name: 'counter-v2', use: './my/counter.v2.mjs' });
});

describe('a mistake names the algorithm and the culprit', () => {
  test.each([
    ['faces=', 'USAGE', /--algorithm faces= names nothing to use/],
    ['faces=x,model', 'USAGE', /--algorithm faces: model is no key=value/],
    ['faces=x,', 'USAGE', /a comma with nothing after it/],
    ['faces=x,framecount=3', 'USAGE', /there is no key framecount: did you mean frameCount\?/],
    ['faces=x,frameCount=-1', 'CONFIG_INVALID', /--algorithm faces: frameCount is -1: it must be at least 0/],
    ['faces=x,interval=1,intervalFrames=2', 'CONFIG_INVALID', /give interval or intervalFrames, not both/],
    ['faces=x,box={w:1}', 'USAGE', /--algorithm faces: box=\{w:1\} is no JSON: quote it for the shell/],
    ['faces=x,inputs.1.name=b', 'USAGE', /inputs\.1 is given and inputs\.0 is not/],
    [
      'faces=x,interval=abc',
      'CONFIG_INVALID',
      /interval is "abc": it must be a number above 0, such as 0\.5 or "1\/3"/,
    ],
    ['a b=x', 'CONFIG_INVALID', /name is "a b"/],
  ])('%s', (text, code, message) => {
    expect(() => parseAlgorithmFlag(text)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });

  test('keys cannot reach the prototype', () => {
    expect(() => parseAlgorithmFlag('a=x,__proto__.b=1')).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});
