/** A few results of a run in words, for somebody who sees them for the first time. Pure. */

import type { Json } from '@stream-infer/core/json';

/** stream → algorithm → time key → what the algorithm returned. */
export type Aggregate = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, Json>>>>>>;

const EXAMPLES = 3;
const DETECTIONS = 3;
const WIDTH = 110;

type Detections = {
  readonly boxes: readonly (readonly number[])[];
  readonly scores: readonly number[];
  readonly labels: readonly string[];
};

const isDetections = (data: Json): data is Json & Detections =>
  typeof data === 'object' && data !== null && 'boxes' in data && 'scores' in data && 'labels' in data;

function inWords(data: Json): string {
  if (!isDetections(data)) return JSON.stringify(data);
  const found = data.boxes.map((box, index) => {
    const corners = box.map((number) => Math.round(number)).join(' ');
    return `${data.labels[index] ?? '?'} ${data.scores[index]?.toFixed(2) ?? '?'} [${corners}]`;
  });
  if (found.length === 0) return 'nothing';
  const others = found.length - DETECTIONS;
  return found.slice(0, DETECTIONS).join(', ') + (others > 0 ? ` and ${others} more` : '');
}

const shortened = (text: string): string => (text.length > WIDTH ? `${text.slice(0, WIDTH - 1)}…` : text);

/** @returns for each algorithm a line with its count, then lines for some results, spread over the run. */
export function shownResults(aggregate: Aggregate): string[] {
  return Object.entries(aggregate).flatMap(([stream, algorithms]) =>
    Object.entries(algorithms).flatMap(([algorithm, results]) => {
      const entries = Object.entries(results).sort(([a], [b]) => Number(a) - Number(b));
      const step = Math.max(1, Math.ceil(entries.length / EXAMPLES));
      const examples = entries.filter((_entry, index) => index % step === Math.floor(step / 2));
      return [
        `${stream}, ${algorithm}: ${entries.length} results`,
        ...examples.map(([key, data]) => shortened(`  at ${key} s: ${inWords(data)}`)),
      ];
    }),
  );
}
