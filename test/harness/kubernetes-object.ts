/** Kubernetes' objects, of which there is here what tests look at. */

import type { Rule } from './prometheus.ts';

export type Container = {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly command?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[];
  readonly envFrom?: readonly EnvironmentSource[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly resources: { readonly limits?: Record<string, unknown>; readonly requests?: Record<string, unknown> };
  readonly securityContext: Record<string, unknown>;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
  readonly startupProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly lifecycle?: { readonly preStop?: { readonly sleep?: { readonly seconds: number } } };
};

export type EnvironmentSource = {
  readonly prefix?: string;
  readonly secretRef?: { readonly name: string };
  readonly configMapRef?: { readonly name: string };
};

export type Probe = {
  readonly httpGet?: { readonly path: string; readonly port: string };
  readonly timeoutSeconds?: number;
  readonly failureThreshold?: number;
};

export type PodSpec = {
  readonly serviceAccountName: string;
  readonly automountServiceAccountToken: boolean;
  readonly terminationGracePeriodSeconds?: number;
  readonly restartPolicy?: string;
  readonly runtimeClassName?: string;
  readonly tolerations?: readonly unknown[];
  readonly securityContext: Record<string, unknown>;
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes: readonly ({ readonly name: string } & Record<string, unknown>)[];
};

export type PodTemplate = {
  readonly metadata: {
    readonly labels: Record<string, string>;
    readonly annotations?: Record<string, string>;
  };
  readonly spec: PodSpec;
};

type Labels = Readonly<Record<string, string>>;
type Selector = { readonly matchLabels: Labels };
type Scaled = { readonly scaleTargetRef: { readonly name: string } };
export type WorkloadSpec = {
  readonly replicas?: number;
  readonly selector?: Selector;
  readonly template: PodTemplate;
  readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
  readonly persistentVolumeClaimRetentionPolicy?: { readonly whenDeleted: string };
};

/** What an object specifies, by its kind. */
type Specs = {
  readonly ConfigMap: undefined;
  readonly Deployment: WorkloadSpec;
  readonly HorizontalPodAutoscaler: Scaled;
  readonly Ingress: object;
  readonly Job: WorkloadSpec;
  readonly NetworkPolicy: {
    readonly podSelector: Selector;
    readonly policyTypes: readonly string[];
    readonly egress?: readonly unknown[];
  };
  readonly PersistentVolume: object;
  readonly PersistentVolumeClaim: object;
  readonly PodDisruptionBudget: { readonly selector: Selector };
  readonly PodMonitor: {
    readonly selector: Selector;
    readonly podMetricsEndpoints: readonly { readonly relabelings?: readonly unknown[] }[];
  };
  readonly PrometheusRule: { readonly groups: readonly { readonly rules: readonly Rule[] }[] };
  readonly ScaledObject: Scaled & { readonly triggers: readonly unknown[]; readonly fallback: unknown };
  readonly Secret: undefined;
  readonly Service: { readonly selector: Labels };
  readonly ServiceAccount: undefined;
  readonly StatefulSet: WorkloadSpec;
};

export type Kind = keyof Specs;

type ObjectOf<K extends Kind> = {
  readonly apiVersion: string;
  readonly kind: K;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Labels;
    readonly annotations?: Labels;
  };
  readonly data?: Labels;
} & (Specs[K] extends undefined ? { readonly spec?: undefined } : { readonly spec: Specs[K] });

/** Told apart by its kind. */
export type KubernetesObject = { [K in Kind]: ObjectOf<K> }[Kind];

export type OfKind<K extends Kind> = Extract<KubernetesObject, { readonly kind: K }>;

/** What makes pods. */
export type Workload = OfKind<'Deployment' | 'StatefulSet' | 'Job'>;

export const ofKind = <K extends Kind>(objects: readonly KubernetesObject[], ...kinds: readonly K[]): OfKind<K>[] =>
  objects.filter((object): object is OfKind<K> => kinds.some((kind) => kind === object.kind));

export const workloadsOf = (objects: readonly KubernetesObject[]): Workload[] =>
  ofKind(objects, 'Deployment', 'StatefulSet', 'Job');
