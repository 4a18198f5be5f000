/** Results that are detections, told by their shape, whichever algorithm they are of. */

import type { Json } from '@stream-infer/core/json';

export type Detection = {
  /** x1, y1, x2, y2 in pixels of the source picture. */
  readonly box: readonly [number, number, number, number];
  readonly score: number | undefined;
  readonly label: string;
  readonly classId: number | undefined;
  /** Of the object that it is, where its result tells. */
  readonly trackId?: number | undefined;
};

/** Undefined where the data is of another shape. */
export function readDetections(data: Json | undefined): readonly Detection[] | undefined {
  if (!isMapping(data)) return undefined;
  const { boxes, scores, labels, classIds, trackIds } = data;
  if (!Array.isArray(boxes) || !boxes.every(isBox)) return undefined;
  return boxes.map((box, index) => ({
    box,
    score: numberAt(scores, index),
    label: textAt(labels, index) ?? '',
    classId: numberAt(classIds, index),
    trackId: numberAt(trackIds, index),
  }));
}

/** Whether the data are detections of a tracker. */
export const isTracked = (data: Json | undefined): boolean => isMapping(data) && Array.isArray(data.trackIds);

/** What is wrong with data that has `boxes` and is no detections all the same; undefined where nothing is. */
export function boxesProblem(data: Json | undefined): string | undefined {
  if (!isMapping(data) || data.boxes === undefined) return undefined;
  const must = 'must be [x1, y1, x2, y2], numbers in pixels of the source picture';
  if (!Array.isArray(data.boxes)) return `boxes is ${quote(data.boxes)}: it must be a list, and each box in it ${must}`;
  const boxes = data.boxes as readonly Json[];
  const wrong = boxes.findIndex((box) => !isBox(box));
  return wrong < 0 ? undefined : `boxes[${wrong}] is ${quote(boxes[wrong])}: it ${must}`;
}

const quote = (value: Json | undefined): string => {
  const text = JSON.stringify(value) ?? '';
  return text.length <= 60 ? text : `${text.slice(0, 59)}…`;
};

const isMapping = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isBox = (value: Json): value is readonly [number, number, number, number] =>
  Array.isArray(value) && value.length === 4 && value.every((side) => typeof side === 'number');

const at = (value: Json | undefined, index: number): Json | undefined =>
  Array.isArray(value) ? (value as readonly Json[])[index] : undefined;

function numberAt(value: Json | undefined, index: number): number | undefined {
  const found = at(value, index);
  return typeof found === 'number' ? found : undefined;
}

function textAt(value: Json | undefined, index: number): string | undefined {
  const found = at(value, index);
  return typeof found === 'string' ? found : undefined;
}
