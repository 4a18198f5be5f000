/** Every example is taken by both Helms, gives the same objects, and each object is one that an API server takes. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { EXAMPLES, exampleFile, HELMS, lint, render, runTool, toolsFolder } from '../harness/chart.ts';
import type { KubernetesObject } from '../harness/kubernetes-object.ts';

test.each(EXAMPLES)('%s: Helm 3 and Helm 4 find nothing to complain of, and make the same objects', async (example) => {
  const values = { files: [exampleFile(example)] };
  const lints = await Promise.all(HELMS.map((helm) => lint(helm, values)));
  for (const { status, stdout, stderr } of lints)
    expect(`${status} ${stdout}${stderr}`).toMatch(/^0 [\s\S]*0 chart\(s\) failed/);
  const [three, four] = await Promise.all(HELMS.map((helm) => render(values, helm)));
  expect(byName(three ?? [])).toEqual(byName(four ?? []));
});

describe.each(EXAMPLES)('the objects of %s', (example) => {
  const rendered = render({ files: [exampleFile(example)] });

  test('are what the types of Kubernetes know', async () => {
    const { stdout, stderr } = await runTool(join(toolsFolder, 'decode'), [], JSON.stringify(await rendered));
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual([]);
  });

  test('are what KEDA and the Prometheus operator define', async () => {
    for (const object of await rendered) {
      const check = await definitionOf(object);
      check?.(object);
      expect(check?.errors ?? [], `${object.kind} ${object.metadata.name}`).toEqual([]);
    }
  });

  test('have names and labels that Kubernetes takes, each name once', async () => {
    const objects = await rendered;
    const names = objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
    for (const { metadata } of objects) {
      expect(metadata.name).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
      for (const value of Object.values(metadata.labels ?? {}))
        expect(value).toMatch(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/);
    }
  });
});

test('an object that Kubernetes does not know is found out', async () => {
  const wrong = [{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'wrong' }, spec: { prots: [] } }];
  const { stdout } = await runTool(join(toolsFolder, 'decode'), [], JSON.stringify(wrong));
  expect(JSON.parse(stdout)).toEqual([expect.stringContaining('unknown field "spec.prots"')]);
});

const byName = (objects: readonly KubernetesObject[]): KubernetesObject[] =>
  objects.toSorted((a, b) => key(a).localeCompare(key(b)));
const key = ({ kind, metadata }: KubernetesObject): string => `${kind}/${metadata.name}`;

const DEFINITIONS: Readonly<Record<string, string>> = {
  ScaledObject: 'keda.sh_scaledobjects.yaml',
  PodMonitor: 'monitoring.coreos.com_podmonitors.yaml',
  PrometheusRule: 'monitoring.coreos.com_prometheusrules.yaml',
};

type JsonSchema = { properties?: Record<string, JsonSchema>; additionalProperties?: unknown; items?: JsonSchema };
type Definition = {
  readonly spec: {
    readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: JsonSchema } }[];
  };
};

/** The definition of a kind that is not Kubernetes' own, as a check that takes no key besides. */
async function definitionOf({ kind, apiVersion }: KubernetesObject) {
  const file = DEFINITIONS[kind];
  if (file === undefined) return undefined;
  // Patterns are Go's, where (?i) asks for either case: ours are in small letters.
  const text = (await readFile(join(toolsFolder, 'crds', file), 'utf8')).replaceAll('(?i)', '');
  const { spec } = parse(text) as Definition;
  const version = spec.versions.find(({ name }) => name === apiVersion.split('/')[1]);
  if (version === undefined) throw new Error(`${kind} has no ${apiVersion}`);
  const schema = closed(version.schema.openAPIV3Schema);
  // The definition leaves an object's metadata to the server.
  if (schema.properties) schema.properties.metadata = {};
  return new Ajv({ strict: false, logger: false }).compile(schema);
}

function closed(schema: JsonSchema): JsonSchema {
  const { properties, items } = schema;
  return {
    ...schema,
    ...(items && { items: closed(items) }),
    ...(properties && {
      additionalProperties: schema.additionalProperties ?? false,
      properties: Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, closed(property)])),
    }),
  };
}
