/** What parts of the chart's values may be: what pods, runners, autoscalers and models are told. */

import { runnerShape } from '@stream-infer/core/algorithm-definition';
import { SERVICE_SETTINGS, type ServiceSection } from '@stream-infer/core/settings';
import { z } from 'zod';

/** What Kubernetes checks itself. */
export const any = z.record(z.string(), z.unknown());
export const anyList = z.array(any);
export const text = z.string();
export const given = z.string().min(1);
export const count = z.int().min(0);
export const quantity = z.union([z.string().regex(/^[0-9]+(\.[0-9]+)?(m|[kMGTPE]i?)?$/), z.number()]);
/** What the chart reckons with. */
export const bytes = z.string().regex(/^[1-9][0-9]*([kMGT]i?)?$/);
/** So many pods, or so much of them. */
const share = z.union([count, z.string().regex(/^[0-9]{1,3}%$/)]);
const secretKey = z.strictObject({ name: given, key: given });
export const port = z.int().min(1).max(65535);
/** What a Secret, ConfigMap or claim is called. */
export const objectName = z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/);
export const file = z.string().regex(/^[^/]+$/);

export const image = z.strictObject({
  repository: given,
  tag: text.optional(),
  tagSuffix: text.optional(),
  digest: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/)
    .optional(),
});

export const resources = z.strictObject({
  requests: z.record(z.string(), quantity).optional(),
  limits: z.record(z.string(), quantity).optional(),
  claims: anyList.optional(),
});

export const podShape = {
  logLevel: SERVICE_SETTINGS.ingest.shape.logLevel.unwrap(),
  drainSeconds: z.int().min(1).max(3600),
  preStopSeconds: count.max(600),
  resources,
  nodeSelector: z.record(z.string(), z.string()),
  tolerations: anyList,
  affinity: any,
  topologySpreadConstraints: anyList,
  priorityClassName: text,
  podAnnotations: z.record(z.string(), z.string()),
  podLabels: z.record(z.string(), z.string()),
  extraEnv: z.array(z.looseObject({ name: given })),
  extraEnvFrom: anyList,
  extraVolumes: z.array(z.looseObject({ name: given })),
  extraVolumeMounts: z.array(z.looseObject({ name: given, mountPath: given })),
  rollingUpdate: z.strictObject({ maxSurge: share, maxUnavailable: share }).partial(),
  disruptionBudget: z.strictObject({ enabled: z.boolean(), maxUnavailable: share, minAvailable: share }).partial(),
};

/** What the chart says of every service itself. */
const CHART_SETTINGS: readonly string[] = [
  'natsUrl',
  'natsPrefix',
  'natsReplicas',
  'natsUser',
  'natsPassword',
  'natsPasswordFile',
  'natsToken',
  'natsTokenFile',
  'natsCreds',
  'natsNkey',
  'natsCa',
  'natsCert',
  'natsKey',
  'natsServerName',
  'logLevel',
  'logFormat',
  'httpHost',
  'httpPort',
  'drainTimeoutMs',
  'exitWithParent',
  'instanceId',
  'grpcCa',
  'grpcCert',
  'grpcKey',
  'grpcHost',
  'grpcPort',
  'advertiseAddress',
  'serve',
  'modelDevice',
  'requireGpu',
  'apiHost',
  'apiPort',
  'apiTokensFile',
  'storePath',
  'storeUrl',
  'storeUrlFile',
  'storeCa',
];

function settings(section: ServiceSection): z.ZodType {
  const { shape } = SERVICE_SETTINGS[section];
  const own = Object.entries(shape).filter(([key]) => !CHART_SETTINGS.includes(key));
  return z.strictObject(Object.fromEntries(own) as z.ZodRawShape).partial();
}

export const service = (section: ServiceSection, shape: z.ZodRawShape) =>
  z.strictObject({ ...podShape, image, replicas: count, settings: settings(section), ...shape }).partial();

export const runnerPodShape = {
  ...podShape,
  image,
  gpuImage: image,
  replicas: count,
  settings: settings('algoRunner'),
};

export const runner = z
  .strictObject({
    ...runnerPodShape,
    device: z.enum(['cpu', 'gpu']),
    gpu: z
      .strictObject({ resource: given, count: z.int().min(1), runtimeClassName: text, require: z.boolean() })
      .partial(),
    concurrency: runnerShape.concurrency,
    maxBatch: runnerShape.maxBatch,
    maxDelayMs: runnerShape.maxDelayMs,
  })
  .partial();

export const autoscalingShape = {
  enabled: z.boolean(),
  kind: z.enum(['keda', 'hpa']),
  minReplicas: count,
  maxReplicas: z.int().min(1),
  targetUtilization: z.number().min(0.05).max(1),
  offline: z.boolean(),
  pollingIntervalSeconds: z.int().min(1),
  cooldownSeconds: count,
  fallbackReplicas: count,
  behavior: any,
  prometheus: z.strictObject({ serverAddress: z.url(), authenticationRef: text }).partial(),
};

export const model = z.union([
  z.strictObject({
    url: z.string().regex(/^https?:\/\//),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    authorizationSecret: secretKey.optional(),
  }),
  z.strictObject({ configMap: objectName, file }),
  z.strictObject({ persistentVolumeClaim: objectName, file: given }),
  z.strictObject({ image: given, file: z.string().regex(/^\//) }),
]);
