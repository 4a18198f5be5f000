/** The detections of the one algorithm that another comes after, checked: anything may come before it. */
import type { Detections, Json, RunContext } from '@stream-infer/algorithm';
import { Fault } from '@stream-infer/core/fault';

/**
 * Lists that it leaves out are filled in: scores of 1, the class 0.
 * Fault: ALGORITHM_FAILED, with what to do, where it comes after none or several, or after what finds no boxes.
 */
export function upstreamDetections({ name, inputs }: Pick<RunContext, 'name' | 'inputs'>): Detections {
  const [first, ...more] = Object.entries(inputs);
  if (first === undefined || more.length > 0) {
    const found = first === undefined ? 'none' : Object.keys(inputs).join(', ');
    throw new Fault('ALGORITHM_FAILED', `algorithm "${name}" comes after ${found}: give it one detector as after`);
  }
  const [upstream, data] = first;
  const boxes = listOf(data, 'boxes');
  if (boxes === undefined || !boxes.every(isBox)) {
    const problem = `has no boxes [x1, y1, x2, y2] in its results: let "${name}" come after a detector`;
    throw new Fault('ALGORITHM_FAILED', `algorithm "${upstream}" ${problem}`);
  }
  const filled = <T>(key: string, isOne: (value: Json) => value is Json & T, otherwise: T): T[] => {
    const list = listOf(data, key);
    if (list === undefined) return boxes.map(() => otherwise);
    if (list.length === boxes.length && list.every(isOne)) return list as (Json & T)[];
    throw new Fault('ALGORITHM_FAILED', `algorithm "${upstream}" has ${boxes.length} boxes and other ${key} to them`);
  };
  const classIds = filled('classIds', isNumber, 0);
  return {
    boxes,
    scores: filled('scores', isNumber, 1),
    labels: filled('labels', isText, ''),
    classIds,
  };
}

type Box = Detections['boxes'][number];

const isNumber = (value: Json): value is number => typeof value === 'number';
const isText = (value: Json): value is string => typeof value === 'string';
const isBox = (value: Json): value is Box => Array.isArray(value) && value.length === 4 && value.every(isNumber);

function listOf(data: Json, key: string): readonly Json[] | undefined {
  const list = isMapping(data) ? data[key] : undefined;
  return Array.isArray(list) ? list : undefined;
}

const isMapping = (value: Json): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
