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
export const positiveRational = z
  .union([z.number(), z.string()])
  .refine((value) => {
    const parsed = parseRational(value);
    return parsed !== undefined && compare(parsed, rational(0)) > 0;
  }, 'must be a number above 0, such as 30, 12.5 or "30000/1001"')
  .transform(String);

/** Of a window: what it needs is counted one by one. */
const MOST_FRAMES = 1024;

/** When an algorithm is due and what it is handed: what a stream may override. */
export const scheduleShape = {
  frameCount: z.int().min(1).max(MOST_FRAMES).optional().describe('Frames in a window. Default 1.'),
  frameStep: z
    .int()
    .min(0)
    .optional()
    .describe(
      'Every frameStep-th of the last frameCount × frameStep played frames; 0 means the last frameCount consecutive ones. Default 0.',
    ),
  interval: positiveRational.optional().describe('Seconds between invocations. Give this or intervalFrames.'),
  intervalFrames: z
    .int()
    .min(1)
    .optional()
    .describe('Played frames between invocations. Default 1 where no interval is given.'),
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
};

const oneInterval = (value: { interval?: unknown; intervalFrames?: unknown }): boolean =>
  value.interval === undefined || value.intervalFrames === undefined;
const ONE_INTERVAL = { message: 'give interval or intervalFrames, not both', path: ['intervalFrames'] };

export const algorithmDefinitionSchema = z
  .strictObject({
    name: name.describe('What results are keyed by.'),
    use: z.string().min(1).describe('A built-in (onnx-detector, onnx, frame-stats) or the path of a module.'),
    options: z.record(z.string(), json).default({}).describe('Handed to the algorithm as they are.'),
    ...scheduleShape,
    concurrency: z.int().min(1).max(64).default(1).describe('Instances in each runner, a worker thread each.'),
  })
  .refine(oneInterval, ONE_INTERVAL);

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
    .refine(oneInterval, ONE_INTERVAL),
]);
