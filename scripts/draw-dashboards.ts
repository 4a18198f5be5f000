/**
 * Draws every dashboard as an SVG picture, out of what a Prometheus knows of the last minutes: node scripts/draw-dashboards.ts
 * http://127.0.0.1:9090 FOLDER [MINUTES [STREAM [ALGORITHM]]].
 */

import { drawDashboards, type Ranges } from './monitoring/draw.ts';
import { filledQuery } from './monitoring/filled-query.ts';

const POINTS = 300;

const [url, folder, minutes = '60', stream = '.*', algorithm = '.*'] = process.argv.slice(2);
if (url === undefined || folder === undefined) {
  console.error('usage: node scripts/draw-dashboards.ts PROMETHEUS FOLDER [MINUTES [STREAM [ALGORITHM]]]');
  process.exit(2);
}

type Answer = {
  readonly data: {
    readonly result: readonly { readonly metric: Record<string, string>; readonly values: [number, string][] }[];
  };
};

const prometheus: Ranges = {
  async range(expr, from, to, step) {
    const parameters = new URLSearchParams({ query: expr, start: String(from), end: String(to), step: String(step) });
    const answer = await fetch(`${url}/api/v1/query_range`, { method: 'POST', body: parameters });
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}: ${expr}`);
    const { data } = (await answer.json()) as Answer;
    return data.result.map(({ metric, values }) => ({
      labels: metric,
      points: values.map(([at, value]) => [at, Number(value)] as const),
    }));
  },
};

const to = Math.floor(Date.now() / 1_000);
const step = Math.max(1, Math.round((Number(minutes) * 60) / POINTS));
const chosen = { rateInterval: `${Math.max(60, 4 * step)}s`, stream, algorithm };
const drawing = { from: to - Number(minutes) * 60, to, step, fill: filledQuery, chosen };
for (const file of await drawDashboards(prometheus, folder, drawing)) console.log(file);
