/** The options of `onnx-detector`. */
import { z } from 'zod';
import { FAMILY_NAMES } from './families/families.ts';
import { modelOptions } from './options.ts';

const side = () => z.int().min(32).max(4096).optional();

const inputSize = z
  .strictObject({
    longSide: side().describe('The picture keeps its shape; its long side gets this many pixels.'),
    width: side(),
    height: side(),
  })
  .refine(
    ({ longSide, width, height }) =>
      longSide === undefined
        ? width !== undefined && height !== undefined
        : width === undefined && height === undefined,
    'must have longSide alone, or width and height',
  );

const overlaps = z.strictObject({
  iou: z.number().min(0).max(1).optional().describe('Boxes that overlap by more are one object.'),
  classAgnostic: z.boolean().optional().describe('Whether boxes of different classes suppress each other.'),
});

export const onnxDetectorOptions = z.strictObject({
  ...modelOptions,
  family: z.enum(FAMILY_NAMES).describe('How the inputs are made and the outputs read.'),
  scoreThreshold: z.number().min(0).max(1).optional().describe('The least score that is reported.'),
  labels: z
    .union([z.array(z.string()).min(1), z.string().min(1)])
    .optional()
    .describe('Names of the classes: a list, or the path of a text file with one a line.'),
  nms: overlaps.optional().describe('Suppression of boxes that overlap.'),
  inputSize: inputSize.optional().describe('Size of the input, for a model that takes any.'),
});

export type OnnxDetectorOptions = z.output<typeof onnxDetectorOptions>;
