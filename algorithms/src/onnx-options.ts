/** The options of `onnx`. */
import { z } from 'zod';
import { modelOptions } from './options.ts';
import { LAYOUTS, STACKS } from './tensor-layout.ts';

const perChannel = () => z.union([z.number(), z.array(z.number()).min(1)]);

export const frameInputOptions = z
  .strictObject({
    name: z.string().min(1).optional().describe('The input of the model; needed where it has several.'),
    layout: z.enum(LAYOUTS).default('nchw').describe('The axes in order: batch, time, channels, rows, columns.'),
    width: z.int().min(1).max(16384).optional().describe('In pixels; needed where the model takes any.'),
    height: z.int().min(1).max(16384).optional().describe('In pixels; needed where the model takes any.'),
    channels: z.enum(['rgb', 'bgr', 'gray']).default('rgb').describe('Channels and their order.'),
    scale: z.number().default(1).describe('Elements are (byte × scale − mean) / std.'),
    mean: perChannel().default(0).describe('One number, or one for each channel.'),
    std: perChannel()
      .refine((value) => ![value].flat().includes(0), 'must not be 0')
      .default(1)
      .describe('One number, or one for each channel.'),
    resize: z.enum(['stretch', 'letterbox', 'letterbox-centre']).default('stretch').describe('How the size is met.'),
    padding: z.int().min(0).max(255).default(0).describe('The byte that a letterbox is padded with.'),
    stack: z.enum(STACKS).optional().describe('The axis along which the frames of a window follow each other.'),
  })
  .refine(
    ({ width, height }) => (width === undefined) === (height === undefined),
    'must have width and height, or neither',
  );

export const constantInputOptions = z
  .strictObject({
    name: z.string().min(1).describe('The input of the model.'),
    type: z.enum(['float32', 'int32', 'int64', 'uint8']).describe('The type of its elements.'),
    shape: z.array(z.int().min(0)).describe('Its dimensions.'),
    values: z.array(z.number()).describe('Its elements, row after row.'),
  })
  .refine(
    ({ shape, values }) => shape.reduce((product, dim) => product * dim, 1) === values.length,
    'must have as many values as the dimensions of its shape make',
  )
  .refine(
    ({ type, values }) => type === 'float32' || values.every(Number.isSafeInteger),
    'must have whole numbers as values, as its type',
  );

export const onnxOptions = z.strictObject({
  ...modelOptions,
  inputs: z.array(frameInputOptions).min(1).optional().describe('Inputs that are made of frames.'),
  constants: z.array(constantInputOptions).default([]).describe('Inputs that are the same for every window.'),
  outputs: z.array(z.string().min(1)).min(1).optional().describe('The outputs to report; all unless given.'),
});

export type FrameInputOptions = z.output<typeof frameInputOptions>;
export type ConstantInputOptions = z.output<typeof constantInputOptions>;
