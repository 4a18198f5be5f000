/** A stream as the configuration defines it; resolve-streams.ts makes the registry's StreamSpec of it. */

import { z } from 'zod';
import { name, positiveRational, streamAlgorithmSchema } from './algorithm-definition.ts';
import { PIXEL_FORMATS } from './pixel-format.ts';
import { compare, parseRational, rational } from './rational.ts';

const position = z
  .union([z.number(), z.string()])
  .refine((value) => {
    const parsed = parseRational(value);
    return parsed !== undefined && compare(parsed, rational(0)) >= 0;
  }, 'must be a number of seconds, 0 or above')
  .transform(String);

export const streamDefinitionSchema = z
  .strictObject({
    id: name.describe('Names the stream in results, metrics and the API.'),
    source: z.string().min(1).optional().describe('A file, device or URL; a relative path is relative to this file.'),
    sourceFrom: z
      .union([z.strictObject({ env: z.string().min(1) }), z.strictObject({ file: z.string().min(1) })])
      .optional()
      .describe('Where the ingest finds the source: an environment variable or a file. For a URL with a password.'),
    mode: z
      .enum(['offline', 'realtime'])
      .optional()
      .describe(
        'offline: as fast as possible, nothing lost. realtime: at its natural rate. Default: offline for files, else realtime.',
      ),
    fps: positiveRational
      .optional()
      .describe(
        "Play rate. Default: the source's own, which it is never above. Of a camera that later sends fewer frames, as at night, slots stay empty, and in those no algorithm is due.",
      ),
    width: z.int().min(1).max(16384).optional().describe("Pixels. Default: the source's, or what keeps its shape."),
    height: z.int().min(1).max(16384).optional().describe("Pixels. Default: the source's, or what keeps its shape."),
    pixelFormat: z.enum(PIXEL_FORMATS).default('bgr24').describe('Layout of the pixels handed to algorithms.'),
    encoding: z
      .enum(['raw', 'jpeg'])
      .default('raw')
      .describe('How frames cross the bus. jpeg is smaller and loses detail.'),
    position: position.default('0').describe('Where in a file to start, in seconds.'),
    buffer: z
      .union([z.literal('auto'), z.int().min(1)])
      .default('auto')
      .describe('Played frames that a window may span. auto: as many as the largest window needs.'),
    videoStream: z.int().min(0).default(0).describe("Which of the source's video streams, from 0."),
    algorithms: z
      .array(streamAlgorithmSchema)
      .min(1)
      .max(64)
      .optional()
      .describe('The algorithms of this stream, by name or with what differs. Default: all.'),
  })
  .refine((value) => (value.source === undefined) !== (value.sourceFrom === undefined), {
    message: 'give source or sourceFrom, and not both',
    path: ['source'],
  });

export type StreamDefinition = z.output<typeof streamDefinitionSchema>;
/** As it is written, before defaults are filled in. */
export type StreamDefinitionInput = z.input<typeof streamDefinitionSchema>;

/** The same as a JSON Schema, for documents and editors. */
export function streamDefinitionJsonSchema(): Record<string, unknown> {
  const { $schema: _, ...schema } = z.toJSONSchema(streamDefinitionSchema, { io: 'input', unrepresentable: 'any' });
  return schema;
}
