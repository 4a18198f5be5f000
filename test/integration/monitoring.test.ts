/** Dashboards and rules name what there is: metrics and labels of the services' registries, runbooks, and nothing else. Rules do what their tests say. */

import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { FAULTS } from '@stream-infer/core/fault';
import { describe, expect, test } from 'vitest';
import { parseCommandLine } from '../../packages/cli/src/command-line.ts';
import { DASHBOARDS } from '../../scripts/monitoring/dashboards.ts';
import { filledQuery } from '../../scripts/monitoring/filled-query.ts';
import { root } from '../harness/programs.ts';
import { ALERTS, hasPrometheus, promtool, RULES, RULES_FILE } from '../harness/prometheus.ts';
import { groupedBy, selectorsOf } from '../harness/promql.ts';
import { exportedMetrics } from '../harness/registries.ts';

/** What whoever scrapes adds. */
const TARGET_LABELS = ['namespace', 'prefix', 'pod', 'instance'];
/** Metrics that are not ours, as docs/monitoring.md tells. */
const FOREIGN: Readonly<Record<string, readonly string[]>> = {
  kube_pod_container_status_restarts_total: ['container'],
  kube_horizontalpodautoscaler_status_desired_replicas: ['horizontalpodautoscaler'],
  keda_scaler_detail_errors_total: ['scaledObject'],
};

const known = new Map<string, ReadonlySet<string>>([
  ...exportedMetrics(),
  ...RULES.flatMap(({ record, expr }) => (record ? [[record, new Set(groupedBy(expr))] as const] : [])),
  ...Object.entries(FOREIGN).map(([name, labels]) => [name, new Set(labels)] as const),
]);
const folder = (...path: string[]): string[] => readdirSync(join(root, ...path)).sort();
const read = (...path: string[]): string => readFileSync(join(root, ...path), 'utf8');

const queries = [
  ...RULES.map(({ record, alert, expr }) => ({ where: `rule ${record ?? alert}`, expr, isForeign: false })),
  ...DASHBOARDS.flatMap(({ title, rows }) =>
    rows.flatMap(({ panels }) =>
      panels.flatMap((panel) =>
        panel.queries.map(({ expr, isForeign = false }) => ({ where: `${title}: ${panel.title}`, expr, isForeign })),
      ),
    ),
  ),
];

test.each(queries)('$where names metrics and labels that there are', ({ expr, isForeign, where }) => {
  const selectors = selectorsOf(expr);
  expect(selectors.length).toBeGreaterThan(0);
  const grouping = new Set(TARGET_LABELS);
  for (const { metric, labels } of selectors) {
    const own = known.get(metric);
    expect(own, `${metric} in ${where}`).toBeDefined();
    for (const label of own ?? []) grouping.add(label);
    for (const label of labels) expect([...TARGET_LABELS, ...(own ?? [])], `${label} of ${metric}`).toContain(label);
    if (!where.startsWith('rule')) expect(isForeign).toBe(metric in FOREIGN);
  }
  for (const label of groupedBy(expr)) expect([...grouping], `${label} in ${where}`).toContain(label);
});

test('legends and columns are labels that the query keeps', () => {
  for (const { rows } of DASHBOARDS)
    for (const panel of rows.flatMap(({ panels }) => panels))
      for (const { expr, legend = '' } of panel.queries) {
        const kept = groupedBy(expr);
        const named = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
        expect(kept, panel.title).toEqual(
          expect.arrayContaining([...named, ...(panel.kind === 'table' ? panel.columns : [])]),
        );
      }
});

test('a panel has a place of its own, and an id', () => {
  for (const { name } of DASHBOARDS) {
    const { panels, uid } = JSON.parse(
      read('deploy', 'k8s', 'stream-infer', 'dashboards', `${name}.json`),
    ) as GrafanaFile;
    expect(uid.length).toBeLessThanOrEqual(40);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
    );
    expect(new Set(cells).size, name).toBe(cells.length);
    expect(Math.max(...panels.map(({ gridPos: { x, w } }) => x + w))).toBe(24);
  }
});

type GrafanaFile = {
  readonly uid: string;
  readonly panels: readonly { readonly id: number; readonly gridPos: Record<'x' | 'y' | 'w' | 'h', number> }[];
};

describe('an alert', () => {
  const alerts = RULES.filter(({ alert }) => alert !== undefined);

  test.each(alerts)(
    '$alert has a severity, a summary and a runbook, and a test of its rule',
    ({ labels, annotations = {} }) => {
      expect(['critical', 'warning']).toContain(labels?.severity);
      expect(annotations.summary).toMatch(/^[A-Z{].*[^.]$/);
      expect(annotations.description).toMatch(/\.$/);
      expect(read(annotations.runbook_url ?? '')).toContain('\n## It is over\n');
      expect(folder('test', 'monitoring')).toContain(basename(annotations.runbook_url ?? '').replace('.md', '.yaml'));
    },
  );

  test('has a page, and each page an alert, which it names', () => {
    const pages = folder('docs', 'runbooks');
    expect(pages).toHaveLength(ALERTS.length);
    const told = alerts.map(({ alert, annotations }) => [basename(annotations?.runbook_url ?? ''), alert] as const);
    expect([...new Set(told.map(([page]) => page))].sort()).toEqual(pages);
    for (const [page, alert] of told) expect(read('docs', 'runbooks', page)).toContain(`\`${alert}\``);
  });
});

describe.each(folder('docs', 'runbooks'))('runbook %s', (page) => {
  const text = read('docs', 'runbooks', page);

  test('ends with the command that shows that it is over', () => {
    expect(text).toMatch(
      /\n## Look first\n[\s\S]+\n## What to do\n[\s\S]+\n## It is over\n[^#]+\n```sh\n[^\n]+\n```\n$/,
    );
  });

  test('has commands that there are, and queries of metrics that there are', () => {
    for (const [, args = ''] of text.matchAll(/(?:^|`)stream-infer ([^\n`]+)/gm))
      expect(() => parseCommandLine(args.split(' ')), args).not.toThrow();
    for (const { metric, labels } of selectorsOf(text.replaceAll('…', ''))) {
      expect([...known.keys()], metric).toContain(metric);
      for (const label of labels) expect([...(known.get(metric) ?? [])]).toContain(label);
    }
  });

  test('names faults, alerts’ pages and panels that there are', () => {
    const codes = [...text.matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)].map(([, code]) => code);
    expect(Object.keys(FAULTS)).toEqual(expect.arrayContaining(codes));
    const titles = DASHBOARDS.flatMap(({ title, rows }) => [
      title,
      ...rows.flatMap((row) => [
        row.title,
        ...row.panels.flatMap((panel) => [panel.title, ...panel.queries.map(({ legend }) => legend ?? '')]),
      ]),
    ]);
    for (const [, title = ''] of text.matchAll(/(?<![\w*])\*([A-Za-z][^*\n]*)\*/g))
      expect(
        titles.some((each) => each.startsWith(title)),
        `*${title}*`,
      ).toBe(true);
  });
});

describe.skipIf(!hasPrometheus)('promtool (needs Prometheus: sh scripts/prometheus.sh)', () => {
  test('finds nothing wrong with the rules', () => {
    expect(promtool('check', 'rules', RULES_FILE)).toContain('SUCCESS');
  });

  test('finds that alerts fire and are quiet as their tests say', () => {
    const files = folder('test', 'monitoring')
      .filter((file) => file.endsWith('.yaml'))
      .map((file) => join(root, 'test', 'monitoring', file));
    expect(promtool('test', 'rules', ...files).match(/SUCCESS/g)).toHaveLength(ALERTS.length);
  });

  test('understands every query of a panel', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'stream-infer-queries-'));
    const rules = queries.map(({ expr }, at) => ({
      record: `q:${at}`,
      expr: filledQuery(expr, { rateInterval: '1m' }),
    }));
    const file = join(directory, 'queries.yaml');
    await writeFile(file, JSON.stringify({ groups: [{ name: 'panels', rules }] }));
    try {
      expect(promtool('check', 'rules', file)).toContain(`SUCCESS: ${queries.length} rules found`);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
