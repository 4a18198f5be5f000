/**
 * Models in the style of YOLOv8 (and of later ones that export the same head). The picture keeps its shape, centred
 * and padded with 114; RGB, 0 to 1. Output `[1, 4 + classes, N]`: centre and size in pixels of the input, then the
 * classes' scores. The transposed `[1, N, 4 + classes]` is read only where the number of classes confirms it (80, or as
 * many as there are labels): by its axes alone it cannot be told from another family's output.
 */

import { COCO_LABELS } from '../coco-labels.ts';
import type { Candidate } from '../detections.ts';
import { defaultClassLabels } from '../labels.ts';
import type { ModelSignature } from '../model-session.ts';
import { cellCount } from './detection-grid.ts';
import { type Family, type FamilyModel, imageInput, isOneOrFree, type Output, shapeFault } from './family.ts';

export const yolov8: Family = {
  name: 'yolov8',
  preprocess: { channels: 'rgb', scale: 1 / 255, mean: [0, 0, 0], std: [1, 1, 1], padding: 114 },
  resize: 'letterbox-centre',
  scoreThreshold: 0.25,
  nms: { iou: 0.45, classAgnostic: false },
  labels: defaultClassLabels,
  check,
};

/** Which axis of the output, without the batch, holds the features, and how many classes there are. */
type Head = { readonly featureAxis: 0 | 1; readonly classCount: number };

function check(signature: ModelSignature, labelCount: number | null): FamilyModel {
  const input = imageInput(signature);
  const [output, ...others] = signature.outputs;
  const plain = output?.type === 'float32' && output.shape.length === 3 && isOneOrFree(output.shape[0]);
  const cells = input?.size ? cellCount(input.size) : null;
  const head = plain ? headOf(output.shape[1], output.shape[2], cells, labelCount) : null;
  if (input === null || output === undefined || others.length > 0 || head === null) {
    throw shapeFault(
      signature,
      yolov8.name,
      'one input float32 [batch, 3, height, width] and one output float32 [batch, 4 + classes, N], ' +
        'or [batch, N, 4 + classes] with 80 classes or as many as there are labels',
    );
  }
  const { name } = output;
  return {
    input,
    outputNames: [name],
    classCount: head.classCount,
    decode: (outputs, _size, scoreThreshold) => decode(outputs.get(name), head, scoreThreshold),
  };
}

function headOf(
  first: number | string | undefined,
  second: number | string | undefined,
  cells: number | null,
  labelCount: number | null,
): Head | null {
  const transposed = second === cells ? false : first === cells || isLonger(first, second);
  const features = transposed ? second : first;
  if (typeof features !== 'number' || features < 5) return null;
  const classCount = features - 4;
  if (!transposed) return { featureAxis: 0, classCount };
  return classCount === (labelCount ?? COCO_LABELS.length) ? { featureAxis: 1, classCount } : null;
}

/** A free axis is that of the boxes. */
function isLonger(first: number | string | undefined, second: number | string | undefined): boolean {
  if (typeof first === 'number' && typeof second === 'number') return first > second;
  return typeof first === 'string' && typeof second === 'number';
}

function decode(output: Output, head: Head, scoreThreshold: number): Candidate[] {
  const { data, dims } = output;
  const count = dims[1 - head.featureAxis] as number;
  const nextFeature = head.featureAxis === 0 ? count : 1;
  const nextBox = head.featureAxis === 0 ? 1 : (dims[1] as number);
  const scores = new Float32Array(count).fill(Number.NEGATIVE_INFINITY);
  const classIds = new Int32Array(count);
  for (let classId = 0; classId < head.classCount; classId++) {
    let at = (4 + classId) * nextFeature;
    for (let index = 0; index < count; index++, at += nextBox) {
      const score = data[at] as number;
      if (score > (scores[index] as number)) {
        scores[index] = score;
        classIds[index] = classId;
      }
    }
  }
  const candidates: Candidate[] = [];
  for (let index = 0; index < count; index++) {
    const score = scores[index] as number;
    if (!(score >= scoreThreshold)) continue;
    const at = index * nextBox;
    const x = data[at] as number;
    const y = data[at + nextFeature] as number;
    const halfWidth = (data[at + 2 * nextFeature] as number) / 2;
    const halfHeight = (data[at + 3 * nextFeature] as number) / 2;
    const box = [x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight] as const;
    candidates.push({ box, score, classId: classIds[index] as number });
  }
  return candidates;
}
