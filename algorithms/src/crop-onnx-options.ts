/** The options of `crop-onnx`. */
import { z } from 'zod';
import { constantInputOptions, frameInputOptions } from './onnx-options.ts';
import { modelOptions } from './options.ts';

export const cropOnnxOptions = z.strictObject({
  ...modelOptions,
  input: frameInputOptions
    .refine(({ stack }) => stack === undefined, {
      message: 'must be left out: crops follow each other along the batch',
      path: ['stack'],
    })
    .optional()
    .describe('The input that is made of crops.'),
  constants: z.array(constantInputOptions).default([]).describe('Inputs that are the same for every crop.'),
  outputs: z.array(z.string().min(1)).min(1).optional().describe('The outputs to report; all unless given.'),
  margin: z.number().min(0).max(4).default(0).describe("Added on each side, as a share of the box's width and height."),
  batchSize: z.int().min(1).max(256).default(16).describe('The most crops in one run, where the model takes several.'),
});

export type CropOnnxOptions = z.output<typeof cropOnnxOptions>;
