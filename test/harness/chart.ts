/** The chart as Helm makes objects of it. The tools are those that scripts/chart-tools.sh builds. */

import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import {
  type Kind,
  type KubernetesObject,
  type OfKind,
  ofKind,
  type Workload,
  workloadsOf,
} from './kubernetes-object.ts';
import { root } from './programs.ts';

export const chartFolder = join(root, 'deploy', 'k8s', 'stream-infer');
export const toolsFolder = join(root, '.tools', 'chart');
/** Helm 3 and Helm 4. */
export const HELMS = ['helm3', 'helm4'] as const;
export type Helm = (typeof HELMS)[number];

export const EXAMPLES = readdirSync(join(root, 'deploy', 'k8s', 'examples')).filter((file) => file.endsWith('.yaml'));
export const exampleFile = (name: string): string => join(root, 'deploy', 'k8s', 'examples', name);

/** The oldest Kubernetes that the chart is for. */
const KUBERNETES = '1.30.0';

/** A release's values: example files, and over them values of the test's own. */
export type Values = { readonly files?: readonly string[]; readonly values?: Readonly<Record<string, unknown>> };

export type HelmOutcome = { readonly status: number | null; readonly stdout: string; readonly stderr: string };

export function helm(which: Helm, args: readonly string[], input = ''): Promise<HelmOutcome> {
  return runTool(join(toolsFolder, which, 'helm'), args, input);
}

export function runTool(file: string, args: readonly string[], input = ''): Promise<HelmOutcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: 'pipe' });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.stdin.on('error', () => undefined).end(input);
    child.once('error', reject).once('close', (status) => resolve({ status, stdout, stderr }));
  });
}

/** Its values are what Helm is to read from its input. */
export const valueArguments = ({ files = [], values }: Values): string[] => [
  ...files.flatMap((file) => ['--values', file]),
  ...(values === undefined ? [] : ['--values', '-']),
];

export const lint = (which: Helm, values: Values): Promise<HelmOutcome> =>
  helm(
    which,
    ['lint', '--strict', '--kube-version', KUBERNETES, chartFolder, ...valueArguments(values)],
    stringify(values.values ?? {}),
  );

/** What `helm template` says. */
export const template = (values: Values, which: Helm = 'helm4', chart = chartFolder): Promise<HelmOutcome> =>
  helm(
    which,
    ['template', 'site', chart, '--namespace', 'vision', '--kube-version', KUBERNETES, ...valueArguments(values)],
    stringify(values.values ?? {}),
  );

/** The objects of a release. */
export async function render(values: Values, which: Helm = 'helm4', chart = chartFolder): Promise<KubernetesObject[]> {
  const { status, stdout, stderr } = await template(values, which, chart);
  if (status !== 0) throw new Error(`helm template ends with ${status}: ${stderr}`);
  return parseAllDocuments(stdout)
    .map((document) => document.toJS() as KubernetesObject | null)
    .filter((object) => object !== null);
}

/** Throws where there is none of that kind and name. */
export function find<K extends Kind>(objects: readonly KubernetesObject[], kind: K, name: string): OfKind<K> {
  const found = ofKind(objects, kind).find(({ metadata }) => metadata.name === name);
  if (found === undefined)
    throw new Error(
      `no ${kind} ${name}: ${objects.map((object) => `${object.kind} ${object.metadata.name}`).join(', ')}`,
    );
  return found;
}

export function findWorkload(objects: readonly KubernetesObject[], name: string): Workload {
  const found = workloadsOf(objects).find((object) => object.metadata.name === name);
  if (found === undefined) throw new Error(`no workload ${name}`);
  return found;
}

/** The environment of a workload's container, of what is written out. */
export const environmentOf = ({ spec }: Workload): Record<string, string> =>
  Object.fromEntries(
    (spec.template.spec.containers[0]?.env ?? []).flatMap(({ name, value }) =>
      value === undefined ? [] : [[name, value]],
    ),
  );
