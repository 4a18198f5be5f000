/** Prometheus and promtool, where scripts/prometheus.sh or the machine has them. */

import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnOwned } from '@stream-infer/service-kit/owned-process';
import { parse } from 'yaml';
import { eventually } from './eventually.ts';
import { freePorts } from './free-ports.ts';
import { root } from './programs.ts';

export const hasPrometheus = ['prometheus', 'promtool'].every(
  (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0,
);

export const RULES_FILE = join(root, 'deploy', 'k8s', 'stream-infer', 'rules', 'stream-infer.yaml');

export type Rule = {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
};

export const RULES: readonly Rule[] = (
  parse(readFileSync(RULES_FILE, 'utf8')) as { groups: { rules: Rule[] }[] }
).groups.flatMap(({ rules }) => rules);

export const ALERTS: readonly string[] = [...new Set(RULES.flatMap(({ alert }) => alert ?? []))];

/** What promtool says; throws where it finds a fault. */
export const promtool = (...args: readonly string[]): string => execFileSync('promtool', args, { encoding: 'utf8' });

export type Sample = { readonly labels: Readonly<Record<string, string>>; readonly value: number };
export type SampledSeries = {
  readonly labels: Readonly<Record<string, string>>;
  /** Seconds since 1970, and the value. */
  readonly points: readonly (readonly [number, number])[];
};

export type Prometheus = {
  readonly url: string;
  /** What a query gives now. */
  query(expression: string): Promise<readonly Sample[]>;
  /** In seconds since 1970. */
  range(expression: string, from: number, to: number, step: number): Promise<readonly SampledSeries[]>;
  /** Names of the alerts that fire now. */
  firing(): Promise<readonly string[]>;
  stop(): Promise<void>;
};

export type ScrapeTarget = { readonly port: number; readonly labels: Readonly<Record<string, string>> };

/** A real one on loopback, which scrapes and evaluates every two seconds. @param rules text of a rule file. */
export async function startPrometheus(targets: readonly ScrapeTarget[], rules: string): Promise<Prometheus> {
  const directory = await mkdtemp(join(tmpdir(), 'stream-infer-prometheus-'));
  const [port = 0] = await freePorts(1);
  await writeFile(join(directory, 'rules.yaml'), rules);
  await writeFile(
    join(directory, 'prometheus.yml'),
    JSON.stringify({
      global: { scrape_interval: '2s', scrape_timeout: '2s', evaluation_interval: '2s' },
      rule_files: ['rules.yaml'],
      scrape_configs: [
        {
          job_name: 'stream-infer',
          static_configs: targets.map((target) => ({ targets: [`127.0.0.1:${target.port}`], labels: target.labels })),
        },
      ],
    }),
  );
  const flags = [
    `--config.file=${join(directory, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(directory, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=error',
  ];
  const child = spawnOwned('prometheus', flags, { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(child, 'exit');
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const url = `http://127.0.0.1:${port}`;
  const ask = async <T>(path: string, parameters: Readonly<Record<string, string>>): Promise<T> => {
    const answer = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`);
    const { status, data, error } = (await answer.json()) as { status: string; data: T; error?: string };
    if (status !== 'success') throw new Error(`${error}: ${parameters.query}`);
    return data;
  };
  await eventually(`Prometheus is ready: ${said}`, async () => (await fetch(`${url}/-/ready`)).ok, 60_000);
  type Vector = {
    readonly result: readonly { readonly metric: Record<string, string>; readonly value: [number, string] }[];
  };
  type Matrix = {
    readonly result: readonly { readonly metric: Record<string, string>; readonly values: [number, string][] }[];
  };
  const query: Prometheus['query'] = async (expression) => {
    const { result } = await ask<Vector>('query', { query: expression });
    return result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
  };
  return {
    url,
    query,
    async range(expression, from, to, step) {
      const parameters = { query: expression, start: String(from), end: String(to), step: String(step) };
      const { result } = await ask<Matrix>('query_range', parameters);
      return result.map(({ metric, values }) => ({
        labels: metric,
        points: values.map(([at, value]) => [at, Number(value)] as const),
      }));
    },
    async firing() {
      const alerts = await query('ALERTS{alertstate="firing"}');
      return [...new Set(alerts.map(({ labels }) => labels.alertname ?? ''))].sort();
    },
    async stop() {
      child.kill('SIGKILL');
      await exited;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** Rules or a query with every duration divided by this: what takes five minutes takes ten seconds, thirty times as fast. */
export const hurried = (text: string, times: number): string =>
  text.replaceAll(/(\[|\bfor: )(\d+)([smhd])\b/g, (_, before: string, amount: string, unit: keyof typeof SECONDS) => {
    const seconds = (Number(amount) * SECONDS[unit]) / times;
    return `${before}${Math.max(1, Math.round(seconds))}s`;
  });
