/** The names of a model's classes: as configured, else those that its family or the number of its classes implies. */
import { readFile } from 'node:fs/promises';
import type { AlgorithmContext } from '@stream-infer/algorithm';
import { COCO_LABELS } from './coco-labels.ts';
import { optionFault } from './options.ts';

/** What the option `labels` says: the list itself, or the lines of the file it names. */
export async function readLabels(
  labels: readonly string[] | string,
  context: AlgorithmContext,
): Promise<readonly string[]> {
  if (typeof labels !== 'string') return labels;
  const path = context.resolvePath(labels);
  const content = await readFile(path, 'utf8').catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw optionFault(
      context,
      `labels is "${labels}": it must be a list, or a text file that can be read (${path}: ${code})`,
    );
  });
  return parseLabels(content);
}

/** One label a line, in the order of the class numbers; lines at the end that are blank do not count. */
export function parseLabels(content: string): readonly string[] {
  return content
    .replace(/^\uFEFF/, '')
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => line.trim());
}

/** The names of the 80 COCO classes, else `class_0`, `class_1` and so on. */
export function defaultClassLabels(classCount: number): readonly string[] {
  if (classCount === COCO_LABELS.length) return COCO_LABELS;
  return Array.from({ length: classCount }, (_, classId) => `class_${classId}`);
}
