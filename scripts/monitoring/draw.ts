/** Pictures of dashboards: each panel's queries over a time, as Prometheus answers them, drawn to SVG. Tables and single numbers are lines too. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Chart,
  type Panel as DrawnPanel,
  type Line,
  svgChart,
} from '../../packages/cli/src/autoscale/svg-chart.ts';
import type { Dashboard, Panel, Query, Unit } from './dashboard.ts';
import { DASHBOARDS } from './dashboards.ts';

type Series = {
  readonly labels: Readonly<Record<string, string>>;
  readonly points: readonly (readonly [atSeconds: number, value: number])[];
};

export type Drawing<C> = {
  /** Seconds since 1970. */
  readonly from: number;
  readonly to: number;
  /** In seconds. */
  readonly step: number;
  /** A query with what is chosen in place of Grafana's variables. */
  fill(expr: string, chosen: C): string;
  readonly chosen: C;
};

export type Ranges = { range(expr: string, from: number, to: number, step: number): Promise<readonly Series[]> };

const COLOURS = [
  '#2563eb',
  '#d97706',
  '#059669',
  '#dc2626',
  '#7c3aed',
  '#0891b2',
  '#be185d',
  '#4d7c0f',
  '#9ca3af',
  '#92400e',
];
const MOST_LINES = 8;
const COLUMNS = 2;

/** A file for each dashboard; returns their paths. */
export async function drawDashboards<C>(prometheus: Ranges, folder: string, drawing: Drawing<C>): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  return Promise.all(
    DASHBOARDS.map(async (dashboard) => {
      const file = join(folder, `${dashboard.name}.svg`);
      await writeFile(file, svgChart(await chartOf(prometheus, dashboard, drawing)));
      return file;
    }),
  );
}

async function chartOf<C>(prometheus: Ranges, { title, rows }: Dashboard, drawing: Drawing<C>): Promise<Chart> {
  const panels = await Promise.all(rows.flatMap((row) => row.panels).map((panel) => drawn(prometheus, panel, drawing)));
  return {
    title,
    subtitle: new Date(drawing.from * 1_000).toISOString(),
    secondsPerValue: drawing.step,
    columns: Array.from({ length: COLUMNS }, (_, column) => ({
      title: '',
      panels: panels.filter((_panel, at) => at % COLUMNS === column),
    })),
  };
}

async function drawn<C>(
  prometheus: Ranges,
  panel: Panel,
  { from, to, step, fill, chosen }: Drawing<C>,
): Promise<DrawnPanel> {
  const { factor, unit } = SCALES[panel.unit];
  const found = await Promise.all(
    panel.queries.map(async (query) => {
      const series = await prometheus.range(fill(query.expr, chosen), from, to, step);
      return series.map((one) => ({ label: labelOf(panel, query, one), points: one.points }));
    }),
  );
  const count = Math.floor((to - from) / step) + 1;
  // Without a line it spans the time too.
  const nothing: Line = {
    label: 'nothing',
    colour: '#9ca3af',
    values: Array.from({ length: count }, () => Number.NaN),
  };
  const lines: Line[] = found
    .flat()
    .slice(0, MOST_LINES)
    .map(({ label, points }, at) => {
      const values = Array.from({ length: count }, () => Number.NaN);
      for (const [atSeconds, value] of points) values[Math.round((atSeconds - from) / step)] = value * factor;
      return { label, colour: COLOURS[at % COLOURS.length] ?? '#000', values };
    });
  const isStacked = panel.kind === 'timeseries' && panel.isStacked === true;
  return {
    title: panel.title,
    unit,
    top: 0,
    lines: lines.length === 0 ? [nothing] : isStacked ? stacked(lines) : lines,
  };
}

/** Each on top of those before it. */
function stacked(lines: readonly Line[]): Line[] {
  const sums: number[] = [];
  return lines
    .map((line) => ({
      ...line,
      filled: true,
      values: line.values.map((value, at) => {
        sums[at] = (sums[at] ?? 0) + (Number.isFinite(value) ? value : 0);
        return sums[at];
      }),
    }))
    .reverse();
}

function labelOf(panel: Panel, { legend }: Query, { labels }: Series): string {
  if (panel.kind === 'table') return panel.columns.map((column) => labels[column] ?? '').join(' ');
  return (legend ?? 'value').replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => labels[name] ?? '').trim();
}

const SCALES: Readonly<Record<Unit, { readonly factor: number; readonly unit: string }>> = {
  none: { factor: 1, unit: '' },
  short: { factor: 1, unit: '' },
  ops: { factor: 1, unit: '/s' },
  s: { factor: 1, unit: ' s' },
  bytes: { factor: 2 ** -20, unit: ' MiB' },
  Bps: { factor: 2 ** -10, unit: ' KiB/s' },
  percentunit: { factor: 100, unit: ' %' },
};
