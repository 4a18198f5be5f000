/** Boxes out of the network's cells, and the one box kept of several on the same object. */
import type { FeatureMap } from './convolution.ts';
import { exponential, sigmoid } from './elementary.ts';
import { BOX_NUMBERS, STRIDE } from './network.ts';

const SCORE_THRESHOLD = 0.5;
const NMS_IOU = 0.45;

export interface Box {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

export interface Detection extends Box {
  readonly classId: number;
  readonly score: number;
}

/**
 * What the exported graph computes from the last map: (4 + classes) × cells; centre, width and height in pixels of the
 * input, then a score from 0 to 1 per class.
 */
export function decodeCells(cells: FeatureMap): Float32Array {
  const size = cells.height * cells.width;
  return cells.data.map((value, at) => {
    const number = Math.floor(at / size);
    const cell = at % size;
    if (number === 0) return STRIDE * value + STRIDE * ((cell % cells.width) + 0.5);
    if (number === 1) return STRIDE * value + STRIDE * (Math.floor(cell / cells.width) + 0.5);
    return number < BOX_NUMBERS ? STRIDE * exponential(value) : sigmoid(value);
  });
}

/** Detections in pixels of the input, highest score first. `output` is (4 + classes) × cells. */
export function detectionsOf(output: Float32Array, classes: number): Detection[] {
  const size = output.length / (BOX_NUMBERS + classes);
  const found: Detection[] = [];
  for (let cell = 0; cell < size; cell++) {
    const number = (n: number): number => output[n * size + cell] as number;
    for (let classId = 0; classId < classes; classId++) {
      const score = number(BOX_NUMBERS + classId);
      if (score < SCORE_THRESHOLD) continue;
      const [x, y, w, h] = [number(0), number(1), number(2), number(3)];
      found.push({ classId, score, x1: x - w / 2, y1: y - h / 2, x2: x + w / 2, y2: y + h / 2 });
    }
  }
  found.sort((a, b) => b.score - a.score);
  const kept: Detection[] = [];
  for (const one of found) {
    if (kept.every((other) => other.classId !== one.classId || overlap(other, one) <= NMS_IOU)) kept.push(one);
  }
  return kept;
}

/** Intersection over union of two boxes. */
export function overlap(a: Box, b: Box): number {
  const width = Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1);
  const height = Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / ((a.x2 - a.x1) * (a.y2 - a.y1) + (b.x2 - b.x1) * (b.y2 - b.y1) - shared);
}
