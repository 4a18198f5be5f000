/** The text of every generated document, from the tables and schemas that the product itself runs on. */

import { algorithmDefinitionSchema, streamAlgorithmSchema } from '@stream-infer/core/algorithm-definition';
import { configurationSchema } from '@stream-infer/core/configuration';
import { FAULTS } from '@stream-infer/core/fault';
import { environmentName, SERVICE_SETTINGS, type ServiceSection } from '@stream-infer/core/settings';
import { sourcesSchema } from '@stream-infer/core/source-allowance';
import { streamDefinitionSchema } from '@stream-infer/core/stream-definition';
import { z } from 'zod';
import { chartValuesSchema } from './chart-values.ts';
import { metricsDocument } from './metrics-document.ts';
import { DASHBOARDS } from './monitoring/dashboards.ts';
import { grafanaDashboard } from './monitoring/grafana.ts';

type JsonSchema = {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly description?: string;
  readonly default?: unknown;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly minimum?: number;
  readonly maximum?: number;
};

const jsonSchema = (schema: z.ZodType): JsonSchema =>
  z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;

/** Path from the repository's root → content. */
export function generatedDocuments(): Map<string, string> {
  return new Map([
    ['docs/faults.md', faults()],
    ['docs/configuration.md', configuration()],
    ['docs/metrics.md', metricsDocument()],
    ['docs/configuration.schema.json', `${JSON.stringify(jsonSchema(configurationSchema), null, 2)}\n`],
    ['deploy/k8s/stream-infer/values.schema.json', chartValuesSchema()],
    ...DASHBOARDS.map((each): [string, string] => [
      `deploy/k8s/stream-infer/dashboards/${each.name}.json`,
      grafanaDashboard(each),
    ]),
  ]);
}

function faults(): string {
  const rows = Object.entries(FAULTS).map(
    ([code, fault]) => `| \`${code}\` | ${fault.exitStatus} | ${fault.description} |`,
  );
  return `# Faults

Every fault has a code of this list, and one line that says what, where and what to do: \`CODE: message\`. The exit status is the
command's when the fault ends it: 1 the run had faults (with \`--strict\`, or where an algorithm never succeeded), 2 usage or configuration, 3 source,
4 environment. In results a failed invocation is \`{"$error": {"code", "message"}}\`.

| code | exit status | meaning |
|---|---|---|
${rows.join('\n')}
`;
}

function configuration(): string {
  const sections = Object.keys(SERVICE_SETTINGS) as ServiceSection[];
  const [, overriding] = jsonSchema(streamAlgorithmSchema).anyOf ?? [];
  return `# Configuration

One YAML (or JSON) file for the command and every service; [configuration.schema.json](configuration.schema.json) is its JSON Schema, for editors.
Unknown keys are refused, and the nearest known one is named. Relative paths are relative to the file.

## \`algorithms\`: what there is to run

${table(jsonSchema(algorithmDefinitionSchema))}

## \`streams\`: what to play

${table(jsonSchema(streamDefinitionSchema))}

An entry of a stream's own \`algorithms\` is a name, or an object whose keys override the algorithm's on this stream:

${table(overriding ?? {})}

## \`sources\`: what may be played

${table(jsonSchema(sourcesSchema))}

## Services

Settings of a service stand in its section of the file, or in the environment variables of its process, which win.
The file is named by \`STREAM_INFER_CONFIG\`.

${sections.map(settingsSection).join('\n')}`;
}

function settingsSection(section: ServiceSection): string {
  const { properties = {} } = jsonSchema(SERVICE_SETTINGS[section]);
  const rows = Object.entries(properties).map(
    ([key, schema]) =>
      `| \`${key}\` | \`${environmentName(key)}\` | ${allowed(schema)} | ${defaultOf(schema)} | ${schema.description ?? ''} |`,
  );
  return `### \`${section}\`

| key | variable | allowed | default | meaning |
|---|---|---|---|---|
${rows.join('\n')}
`;
}

function table({ properties = {} }: JsonSchema): string {
  const rows = Object.entries(properties).map(
    ([key, schema]) => `| \`${key}\` | ${allowed(schema)} | ${defaultOf(schema)} | ${schema.description ?? ''} |`,
  );
  return `| key | allowed | default | meaning |\n|---|---|---|---|\n${rows.join('\n')}`;
}

const defaultOf = (schema: JsonSchema): string =>
  schema.default === undefined ? '' : `\`${JSON.stringify(schema.default)}\``;

function allowed(schema: JsonSchema): string {
  if (schema.enum) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.anyOf) return schema.anyOf.map(allowed).join(' or ');
  if (schema.type === 'array') return `list of ${allowed(schema.items ?? {})}`;
  if (schema.type === 'object') return schema.properties ? `{${Object.keys(schema.properties).join(', ')}}` : 'object';
  if (schema.type === 'integer') return range('integer', schema);
  return typeof schema.type === 'string' ? schema.type : (schema.type?.join(' or ') ?? 'any JSON');
}

function range(type: string, { minimum, maximum }: JsonSchema): string {
  const bounded = (limit: number | undefined): limit is number =>
    limit !== undefined && Math.abs(limit) < Number.MAX_SAFE_INTEGER;
  if (bounded(minimum) && bounded(maximum)) return `${type} ${minimum} to ${maximum}`;
  return bounded(minimum) ? `${type} ≥ ${minimum}` : type;
}
