/** Prometheus and promtool, where scripts/prometheus.sh or the machine has them. */

import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
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
