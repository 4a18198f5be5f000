/**
 * What the chart's values may be: the schema that Helm checks them by, made of the schemas that the services run on, so that a wrong key of
 * an algorithm, a stream or a setting is refused before anything is installed.
 */

import { algorithmDefinitionSchema, name, runnerShape } from '@stream-infer/core/algorithm-definition';
import { SERVICE_SETTINGS } from '@stream-infer/core/settings';
import { sourcesSchema } from '@stream-infer/core/source-allowance';
import { streamDefinitionSchema } from '@stream-infer/core/stream-definition';
import { z } from 'zod';
import {
  any,
  anyList,
  autoscalingShape,
  bytes,
  count,
  file,
  given,
  image,
  model,
  objectName,
  podShape,
  port,
  quantity,
  resources,
  runner,
  runnerPodShape,
  service,
  text,
} from './chart-value-shapes.ts';

const peers = anyList;

const values = z
  .strictObject({
    global: any,
    nameOverride: text,
    fullnameOverride: text,
    sources: sourcesSchema,
    cameraSecrets: z.array(objectName),
    image: z
      .strictObject({
        registry: text,
        tag: text,
        pullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']),
        pullSecrets: z.array(objectName),
      })
      .partial(),
    nats: z
      .strictObject({
        url: text,
        replicas: z.int().min(1).max(5),
        credentialsSecret: text,
        credentials: z.enum(['creds', 'nkey', 'password', 'token']),
        user: text,
        key: text,
        tls: z.strictObject({ caSecret: text, certSecret: text, serverName: text }).partial(),
        prefix: SERVICE_SETTINGS.ingest.shape.natsPrefix.unwrap(),
        embedded: z
          .strictObject({
            enabled: z.boolean(),
            image,
            memoryStore: bytes,
            fileStore: bytes,
            storageClassName: text,
            resources,
          })
          .partial(),
      })
      .partial(),
    grpc: z.strictObject({ tls: z.strictObject({ schedulerSecret: text, runnerSecret: text }).partial() }).partial(),
    store: z
      .strictObject({
        kind: z.enum(['sqlite', 'postgres']),
        sqlite: z.strictObject({ size: quantity, storageClassName: text }).partial(),
        urlSecret: z.strictObject({ name: text, key: given, caKey: text }).partial(),
      })
      .partial(),
    pods: z.strictObject(podShape).partial(),
    ingest: service('ingest', { streamsPerReplica: count }),
    scheduler: service('scheduler', {}),
    runners: z.strictObject(runnerPodShape).partial(),
    collector: service('collector', {
      auth: z
        .strictObject({ tokensSecret: text, tokenSecret: z.strictObject({ name: text, key: given }).partial() })
        .partial(),
      service: z
        .strictObject({
          type: z.enum(['ClusterIP', 'NodePort', 'LoadBalancer']),
          port,
          annotations: z.record(z.string(), z.string()),
        })
        .partial(),
      ingress: z
        .strictObject({
          enabled: z.boolean(),
          className: text,
          annotations: z.record(z.string(), z.string()),
          hosts: z.array(z.strictObject({ host: given, path: z.string().regex(/^\//).optional() })),
          tls: anyList,
        })
        .partial(),
    }),
    tools: z.strictObject({ ...podShape, image, waitSeconds: z.int().min(1).max(3600) }).partial(),
    models: z
      .strictObject({
        cache: z
          .strictObject({
            kind: z.enum(['pod', 'node', 'claim']),
            size: quantity,
            path: z.string().regex(/^\//),
            claimName: text,
          })
          .partial(),
      })
      .partial(),
    autoscaling: z.strictObject(autoscalingShape).partial(),
    monitoring: z
      .strictObject({
        podMonitor: z.boolean(),
        prometheusRule: z.boolean(),
        runbookUrl: text,
        dashboards: z.boolean(),
        interval: z.string().regex(/^[0-9]+(ms|s|m)$/),
        labels: z.record(z.string(), z.string()),
        dashboardLabels: z.record(z.string(), z.string()),
        dashboardAnnotations: z.record(z.string(), z.string()),
      })
      .partial(),
    networkPolicy: z
      .strictObject({
        enabled: z.boolean(),
        dns: peers,
        sources: peers,
        nats: peers,
        postgres: peers,
        postgresPort: port,
        models: peers,
        modelPorts: z.array(port),
        apiClients: peers,
        monitoring: peers,
      })
      .partial(),
    listenHost: z.enum(['0.0.0.0', '::']),
    purge: z.boolean(),
  })
  .partial();

type JsonSchema = {
  properties?: Record<string, JsonSchema>;
  required?: string[];
  anyOf?: JsonSchema[];
  [key: string]: unknown;
};

const jsonSchema = (schema: z.ZodType): JsonSchema => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  return rest;
};

/** An algorithm of the configuration: how it is run stands with its runner here, and its module and model have places of their own. */
function algorithm(): JsonSchema {
  const { properties = {}, $defs: _, ...definition } = jsonSchema(algorithmDefinitionSchema);
  const elsewhere = Object.keys(runnerShape);
  return {
    ...definition,
    properties: {
      ...Object.fromEntries(Object.entries(properties).filter(([key]) => !elsewhere.includes(key))),
      options: { type: 'object' },
      model: jsonSchema(model),
      module: jsonSchema(z.strictObject({ configMap: objectName, file })),
      runnerGroup: jsonSchema(name),
      runner: jsonSchema(runner),
      autoscaling: jsonSchema(z.strictObject({ ...autoscalingShape, expectedMs: z.number().positive() }).partial()),
    },
    required: ['name'],
  };
}

/** A stream of the configuration, whose source may also be a key of the camera Secrets. */
function stream(): JsonSchema {
  const { properties = {}, ...definition } = jsonSchema(streamDefinitionSchema);
  const { sourceFrom = {} } = properties;
  const cameraSecret = jsonSchema(z.strictObject({ cameraSecret: z.string().regex(/^[-._a-zA-Z0-9]+$/) }));
  return {
    ...definition,
    properties: { ...properties, sourceFrom: { ...sourceFrom, anyOf: [cameraSecret, ...(sourceFrom.anyOf ?? [])] } },
  };
}

/** The text of the chart's values.schema.json. */
export function chartValuesSchema(): string {
  const { properties = {}, ...schema } = jsonSchema(values);
  const whole = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Values of the chart stream-infer',
    ...schema,
    properties: {
      algorithms: { type: 'array', items: algorithm() },
      streams: { type: 'array', items: stream() },
      ...properties,
    },
  };
  return `${JSON.stringify(whole, null, 2)}\n`;
}
