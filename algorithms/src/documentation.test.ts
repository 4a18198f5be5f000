import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { byteTrackOptions } from './byte-track-options.ts';
import { cropOnnxOptions } from './crop-onnx-options.ts';
import { FAMILIES, FAMILY_NAMES } from './families/families.ts';
import { frameStatsOptions } from './frame-stats-options.ts';
import { onnxDetectorOptions } from './onnx-detector-options.ts';
import { onnxOptions } from './onnx-options.ts';
import { BUILT_IN_ALGORITHMS } from './registry.ts';
import { LAYOUTS, STACKS } from './tensor-layout.ts';

const document = readFileSync(join(import.meta.dirname, '../../docs/algorithms.md'), 'utf8');

/** Every key of a schema, those of the objects and lists inside it too. */
function keysOf(schema: unknown): string[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return keysOf(schema.unwrap());
  if (schema instanceof z.ZodArray) return keysOf(schema.element);
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape).flatMap(([key, value]) => [key, ...keysOf(value)]);
}

/** As code: alone, as `nms.key`, or in a list such as `{name, type}`. */
const isNamed = (key: string): boolean => new RegExp(`\`[^\`]*\\b${key}\\b[^\`]*\``).test(document);

describe('docs/algorithms.md', () => {
  test.each(Object.keys(BUILT_IN_ALGORITHMS))('has a chapter about %s', (name) => {
    expect(document).toContain(`\n## \`${name}\``);
  });

  test.each([
    ['onnx-detector', onnxDetectorOptions],
    ['onnx', onnxOptions],
    ['frame-stats', frameStatsOptions],
    ['byte-track', byteTrackOptions],
    ['crop-onnx', cropOnnxOptions],
  ] as const)('names every option of %s', (_name, schema) => {
    const keys = keysOf(schema);
    expect(keys).not.toEqual([]);
    expect(keys.filter((key) => !isNamed(key))).toEqual([]);
  });

  test.each(FAMILY_NAMES)('has the defaults of %s', (name) => {
    const { scoreThreshold, nms } = FAMILIES[name];
    const row = document.split('\n').find((line) => line.startsWith(`| \`${name}\``));
    expect(row).toMatch(
      new RegExp(`\\| ${scoreThreshold} \\| ${nms.iou} \\| ${nms.classAgnostic ? 'yes' : 'no'} \\|$`),
    );
  });

  test.each([...LAYOUTS, ...STACKS])('names %s', (value) => {
    expect(document).toContain(`\`${value}\``);
  });
});
