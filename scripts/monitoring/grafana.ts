/** A dashboard as Grafana 10 and newer import it. */

import type { Dashboard, Panel, Variable } from './dashboard.ts';

const DATASOURCE = { type: 'prometheus', uid: '$datasource' };
const HEIGHTS: Readonly<Record<Panel['kind'], number>> = { timeseries: 8, stat: 4, table: 9 };
const COLUMNS = 24;

/** The text of its JSON file. */
export function grafanaDashboard({ name, title, description, variables, rows }: Dashboard): string {
  const panels: object[] = [];
  let y = 0;
  for (const row of rows) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title: row.title,
      collapsed: false,
      gridPos: place(0, y, COLUMNS, 1),
      panels: [],
    });
    y += 1;
    let x = 0;
    let lineHeight = 0;
    for (const panel of row.panels) {
      if (x + panel.width > COLUMNS) {
        x = 0;
        y += lineHeight;
        lineHeight = 0;
      }
      const height = HEIGHTS[panel.kind];
      panels.push({ id: panels.length + 1, ...grafanaPanel(panel), gridPos: place(x, y, panel.width, height) });
      x += panel.width;
      lineHeight = Math.max(lineHeight, height);
    }
    y += lineHeight;
  }
  const dashboard = {
    uid: `stream-infer-${name}`,
    title: `stream-infer: ${title}`,
    description,
    tags: ['stream-infer'],
    schemaVersion: 38,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-1h', to: 'now' },
    timezone: 'browser',
    links: [
      {
        type: 'dashboards',
        title: 'stream-infer',
        tags: ['stream-infer'],
        asDropdown: true,
        includeVars: true,
        keepTime: true,
      },
    ],
    templating: { list: [DATASOURCE_VARIABLE, ...variables.map(grafanaVariable)] },
    annotations: { list: [] },
    panels,
  };
  return `${JSON.stringify(dashboard, null, 1)}\n`;
}

const place = (x: number, y: number, w: number, h: number) => ({ x, y, w, h });

const DATASOURCE_VARIABLE = {
  name: 'datasource',
  label: 'Prometheus',
  type: 'datasource',
  query: 'prometheus',
  current: {},
  hide: 0,
};

function grafanaVariable({ name, label, metric, value = '', isSingle }: Variable): object {
  if (metric === undefined)
    return {
      name,
      label,
      type: 'textbox',
      query: value,
      current: { text: value, value },
      options: [{ text: value, value, selected: true }],
    };
  const query = `label_values(${metric}, ${name})`;
  return {
    name,
    label,
    type: 'query',
    datasource: DATASOURCE,
    definition: query,
    query: { query, refId: name },
    refresh: 2,
    sort: 1,
    // Where nobody adds the label, all of it is what has none.
    ...(isSingle
      ? { multi: false, includeAll: false, current: {} }
      : { multi: true, includeAll: true, allValue: '.*', current: { text: 'All', value: '$__all' } }),
  };
}

function grafanaPanel(panel: Panel): object {
  const { title, description, queries, unit } = panel;
  const isInstant = panel.kind !== 'timeseries';
  return {
    title,
    description,
    datasource: DATASOURCE,
    targets: queries.map(({ expr, legend }, at) => ({
      refId: String.fromCharCode(65 + at),
      datasource: DATASOURCE,
      expr,
      legendFormat: legend ?? '__auto',
      instant: isInstant,
      range: !isInstant,
      ...(panel.kind === 'table' && { format: 'table' }),
    })),
    ...looks(panel, unit),
  };
}

function looks(panel: Panel, unit: string): object {
  switch (panel.kind) {
    case 'timeseries':
      return {
        type: 'timeseries',
        fieldConfig: {
          defaults: {
            unit,
            min: 0,
            ...(panel.max !== undefined && { max: panel.max }),
            custom: {
              lineWidth: 1,
              fillOpacity: panel.isStacked ? 40 : 8,
              showPoints: 'never',
              stacking: { mode: panel.isStacked ? 'normal' : 'none', group: 'A' },
            },
          },
          overrides: [],
        },
        options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
      };
    case 'stat':
      return {
        type: 'stat',
        fieldConfig: {
          defaults: {
            unit,
            color: { mode: 'thresholds' },
            thresholds: { mode: 'absolute', steps: steps(panel.warnsAt) },
          },
          overrides: [],
        },
        options: {
          colorMode: 'value',
          graphMode: 'none',
          textMode: 'value',
          reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
        },
      };
    case 'table':
      return {
        type: 'table',
        fieldConfig: {
          defaults: {},
          overrides: [{ matcher: { id: 'byName', options: panel.value }, properties: [{ id: 'unit', value: unit }] }],
        },
        options: { showHeader: true },
        transformations: [
          {
            id: 'organize',
            options: {
              includeByName: Object.fromEntries([...panel.columns, 'Value'].map((column) => [column, true])),
              indexByName: Object.fromEntries([...panel.columns, 'Value'].map((column, at) => [column, at])),
              renameByName: { Value: panel.value },
            },
          },
        ],
      };
  }
}

const steps = (warnsAt: number | undefined): object[] => [
  { color: warnsAt === undefined ? 'blue' : 'green', value: null },
  ...(warnsAt === undefined ? [] : [{ color: 'red', value: warnsAt }]),
];
