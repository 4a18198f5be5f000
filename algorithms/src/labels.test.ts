import { expect, test } from 'vitest';
import { COCO_LABELS } from './coco-labels.ts';
import { defaultClassLabels, parseLabels } from './labels.ts';

test('a label file has one label a line, in any line ending, and its blank end does not count', () => {
  expect(parseLabels('cat\r\n dog \n\nbird\n\n')).toEqual(['cat', 'dog', '', 'bird']);
  expect(parseLabels('\uFEFFcat')).toEqual(['cat']);
});

test('80 classes are those of COCO, other numbers are counted', () => {
  expect(COCO_LABELS).toHaveLength(80);
  expect([COCO_LABELS[0], COCO_LABELS[6], COCO_LABELS[27], COCO_LABELS[56], COCO_LABELS[79]]).toEqual([
    'person',
    'train',
    'tie',
    'chair',
    'toothbrush',
  ]);
  expect(defaultClassLabels(80)).toBe(COCO_LABELS);
  expect(defaultClassLabels(2)).toEqual(['class_0', 'class_1']);
});
