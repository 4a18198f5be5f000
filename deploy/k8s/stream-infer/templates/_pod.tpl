{{/* The pod of a workload: root and workload (_workloads.tpl says what that has). */}}

{{- define "stream-infer.podTemplate" -}}
{{- $root := .root }}
{{- $workload := .workload }}
{{- $values := $workload.values }}
{{- $drain := int $values.drainSeconds }}
{{- $preStop := int $values.preStopSeconds }}
{{- $identity := dict "root" $root "component" $workload.component }}
{{- include "stream-infer.identity" $identity -}}
metadata:
  labels:
    {{- include "stream-infer.selectorLabels" . | nindent 4 }}
    {{- with $values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with merge (deepCopy $workload.annotations) $values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "stream-infer.serviceAccountName" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  # What it has in hand, the time in which it is not sent away yet, and some more.
  terminationGracePeriodSeconds: {{ add $drain $preStop 10 }}
  securityContext:
    {{- include "stream-infer.podSecurity" nil | nindent 4 }}
  {{- with $root.Values.image.pullSecrets }}
  imagePullSecrets:
    {{- range . }}
    - name: {{ . }}
    {{- end }}
  {{- end }}
  {{- with $values.runtimeClassName }}
  runtimeClassName: {{ . }}
  {{- end }}
  {{- with include "stream-infer.scheduling" . | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with $workload.initContainers }}
  initContainers:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: {{ $workload.component }}
      image: {{ include "stream-infer.image" (dict "root" $root "image" $values.image) }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      securityContext:
        {{- include "stream-infer.containerSecurity" nil | nindent 8 }}
      ports:
        - {name: health, containerPort: 8081, protocol: TCP}
        {{- range $name, $port := $workload.ports }}
        - {name: {{ $name }}, containerPort: {{ $port }}, protocol: TCP}
        {{- end }}
      env:
        {{- include "stream-infer.environment" . | nindent 8 }}
      {{- with $values.extraEnvFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      # Until it answers at all. Whether it also works is told by the other two, which follow its progress.
      startupProbe:
        httpGet: {path: /v2/health/live, port: health}
        periodSeconds: 2
        failureThreshold: 60
      livenessProbe:
        httpGet: {path: /v2/health/live, port: health}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 3
      readinessProbe:
        httpGet: {path: /v2/health/ready, port: health}
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 2
      {{- if gt $preStop 0 }}
      lifecycle:
        preStop: {sleep: {seconds: {{ $preStop }}}}
      {{- end }}
      resources:
        {{- toYaml $values.resources | nindent 8 }}
      volumeMounts:
        - {name: tmp, mountPath: /tmp}
        {{- with concat $workload.mounts $identity.mounts $values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - {name: tmp, emptyDir: {}}
    {{- with concat $workload.volumes $identity.volumes $values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}

{{/* Its environment: what every service has, what the chart says of its settings, what the values say of them, and what is added. */}}
{{- define "stream-infer.environment" -}}
{{- $values := .root.Values }}
{{- $pod := .workload.values }}
{{- $settings := dict
  "natsUrl" (include "stream-infer.natsUrl" .root) "natsPrefix" $values.nats.prefix "natsReplicas" (int $values.nats.replicas) "logFormat" "json" "logLevel" $pod.logLevel
  "httpHost" $values.listenHost "httpPort" 8081 "drainTimeoutMs" (mul 1000 (int $pod.drainSeconds))
}}
{{- $identity := dict "root" .root "component" .workload.component }}
{{- include "stream-infer.identity" $identity }}
{{- $settings = mustMergeOverwrite $settings $identity.settings .workload.settings (default dict $pod.settings) -}}
- {name: TMPDIR, value: /tmp}
{{- range $key, $value := $settings }}
- {name: {{ include "stream-infer.variable" $key }}, value: {{ include "stream-infer.text" $value | quote }}}
{{- end }}
{{- with concat .workload.variables $pod.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "stream-infer.natsUrl" -}}
{{- if .Values.nats.embedded.enabled }}nats://{{ include "stream-infer.fullname" . }}-nats:4222{{ else }}{{ .Values.nats.url }}{{ end }}
{{- end }}

{{- define "stream-infer.serviceAccountName" -}}
{{ include "stream-infer.fullname" .root }}-{{ .workload.component }}
{{- end }}

{{/* Where it may run. */}}
{{- define "stream-infer.scheduling" -}}
{{- $values := .workload.values }}
{{- $labels := include "stream-infer.selectorLabels" . | fromYaml }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- range . }}
  - {{ merge (deepCopy .) (dict "labelSelector" (dict "matchLabels" $labels)) | toYaml | nindent 4 | trim }}
  {{- end }}
{{- end }}
{{- end }}

{{/* What Pod Security calls restricted, and a root file system that nobody writes. */}}
{{- define "stream-infer.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "stream-infer.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}
