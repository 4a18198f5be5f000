/**
 * An algorithm as the configuration defines it: what it is, which window it wants and when. Streams run it as it stands or with
 * some of this overridden; runners serve it by its name.
 */

import { z } from 'zod';
import type { Json } from './json.ts';
import { NAME, NAME_RULE } from './names.ts';
import { compare, parseRational, rational } from './rational.ts';

const json: z.ZodType<Json> = z.json() as z.ZodType<Json>;

export const name = z.string().regex(NAME, NAME_RULE);

/** A positive decimal or fraction, kept as it was written. */
const positive = (examples: string) =>
  z
    .union([z.number(), z.string()])
    .refine((value) => {
      const parsed = parseRational(value);
      return parsed !== undefined && compare(parsed, rational(0)) > 0;
    }, `must be a number above 0, such as ${examples}`)
    .transform(String);

export const positiveRational = positive('30, 12.5 or "30000/1001"');
const positiveSeconds = positive('0.5 or "1/3"');

/** Of a window: what it needs is counted one by one. */
const MOST_FRAMES = 1024;

/** When an algorithm is due and what it is handed: what a stream may override. */
export const scheduleShape = {
  frameCount: z
    .int()
    .min(0)
    .max(MOST_FRAMES)
    .optional()
    .describe(
      'Frames in a window; where frameStep is 0, the first windows have fewer. 0, where it comes after others: none, their results alone. Default 1.',
    ),
  frameStep: z
    .int()
    .min(0)
    .optional()
    .describe(
      'Every frameStep-th of the last frameCount × frameStep played frames; 0 means the last frameCount consecutive ones, at the start of a stream as many as there are. Default 0.',
    ),
  interval: positiveSeconds
    .optional()
    .describe(
      'Seconds between invocations, rounded down to whole played frames: 0.5 at 5 fps is 2 frames, every 0.4 s. Give this or intervalFrames.',
    ),
  intervalFrames: z
    .int()
    .min(1)
    .optional()
    .describe('Played frames between invocations. Default 1 where no interval is given.'),
  after: z
    .union([name, z.array(name).min(1)])
    .optional()
    .describe(
      'Invoked for each result of this algorithm, or where all of a list have one, with their results. Takes the place of an interval.',
    ),
  timeoutMs: z
    .int()
    .min(1)
    .max(2 ** 31 - 1)
    .optional()
    .describe('How long one invocation may run, in milliseconds. Default 10000.'),
  maxInFlight: z
    .int()
    .min(1)
    .max(256)
    .optional()
    .describe('Invocations of one stream that may be under way at once. Default: 8 offline, 2 in realtime.'),
  maxAttempts: z
    .int()
    .min(1)
    .max(20)
    .optional()
    .describe(
      'How often a window is tried where the algorithm throws, overruns its time or ends its runner; then it has an error result. Default 3.',
    ),
  maxStalenessMs: z
    .int()
    .min(1)
    .max(2 ** 31 - 1)
    .optional()
    .describe(
      'Realtime: a window whose newest frame was captured longer ago, in milliseconds, is dropped before the algorithm sees it. Default: the interval, at least 1000.',
    ),
};

/** How a runner runs an algorithm: of the definition, and of no stream. */
export const runnerShape = {
  concurrency: z.int().min(1).max(64).default(1).describe('Instances in each runner, a worker thread each.'),
  maxBatch: z
    .int()
    .min(1)
    .max(256)
    .default(1)
    .describe('Windows, of all cameras, that an instance is handed at once; more than 1 needs runBatch.'),
  maxDelayMs: z
    .int()
    .min(0)
    .max(60_000)
    .default(5)
    .describe('How long an idle instance waits for a batch to fill, in milliseconds, from its first window on.'),
  expectedMs: z
    .number()
    .positive()
    .max(2 ** 31 - 1)
    .default(100)
    .describe('What a window is taken to cost an instance, in milliseconds, for autoscaling, until a runner has told.'),
};

type Pace = { interval?: unknown; intervalFrames?: unknown; after?: unknown };

const oneInterval = ({ interval, intervalFrames }: Pace): boolean =>
  interval === undefined || intervalFrames === undefined;
const ONE_INTERVAL = { message: 'give interval or intervalFrames, not both', path: ['intervalFrames'] };

const afterOrInterval = ({ after, interval, intervalFrames }: Pace): boolean =>
  after === undefined || (interval === undefined && intervalFrames === undefined);
const AFTER_OR_INTERVAL = {
  message: 'give after, or interval or intervalFrames: what comes after others is due with them',
  path: ['after'],
};

export const algorithmDefinitionSchema = z
  .strictObject({
    name: name.describe('What results are keyed by.'),
    use: z
      .string()
      .min(1)
      .describe('A built-in (onnx-detector, onnx, frame-stats, byte-track, crop-onnx) or the path of a module.'),
    options: z.record(z.string(), json).default({}).describe('Handed to the algorithm as they are.'),
    ...scheduleShape,
    state: z
      .enum(['none', 'stream'])
      .optional()
      .describe(
        'stream: an instance for each stream, on one runner, its windows in order, one at a time. none: any instance takes any window. Default: as its class says.',
      ),
    ...runnerShape,
  })
  .refine(oneInterval, ONE_INTERVAL)
  .refine(afterOrInterval, AFTER_OR_INTERVAL);

export type AlgorithmDefinition = z.output<typeof algorithmDefinitionSchema>;

/** An algorithm in a stream's own list: its name, or its name with what differs on this stream. */
export const streamAlgorithmSchema = z.union([
  name,
  z
    .strictObject({
      name: name.describe('The algorithm as the configuration defines it.'),
      as: name.optional().describe('The name of its results on this stream.'),
      ...scheduleShape,
    })
    .refine(oneInterval, ONE_INTERVAL)
    .refine(afterOrInterval, AFTER_OR_INTERVAL),
]);
