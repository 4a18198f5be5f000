{{/*
The workloads of the release: what differs between them. `_pod.tpl` makes pods of them, and each object kind's file the objects.

Sets `workloads` of the dictionary that it is given, beside `root`. Each has
  name, component, runner (of an algo-runner)   what it is called, and found by
  kind, replicas                                a Deployment or StatefulSet; replicas is left out where an autoscaler decides
  values                                        what pods and the service's own values say
  section, settings                             of the service's settings: what the chart says of them
  variables                                     further entries of the environment
  ports                                         name → number, beside that of health and metrics
  volumes, mounts, initContainers, claims       as a pod or StatefulSet has them
  fetches                                       whether its init containers fetch something from elsewhere
  annotations                                   of the pod, such as the checksum of what is to restart it
*/}}
{{- define "stream-infer.workloads" -}}
{{- $root := .root }}
{{- $values := $root.Values }}
{{- $fullname := include "stream-infer.fullname" $root }}
{{- $instance := list (dict "name" "INSTANCE_ID" "valueFrom" (dict "fieldRef" (dict "fieldPath" "metadata.name"))) }}
{{- $configuration := dict "name" "configuration" "configMap" (dict "name" (printf "%s-configuration" $fullname)) }}
{{- $configurationVariable := dict "name" "STREAM_INFER_CONFIG" "value" (printf "%s/configuration.yaml" (include "stream-infer.configurationPath" nil)) }}
{{- $configurationMount := dict "name" "configuration" "mountPath" (include "stream-infer.configurationPath" nil) "readOnly" true }}
{{- $workloads := list }}
{{- /* Of the chart's own server results may take what dead letters and the registry leave. */}}
{{- $results := dict }}
{{- if $values.nats.embedded.enabled }}
{{- $results = dict "resultsMaxBytes" (div (mul 7 (include "stream-infer.bytes" $values.nats.embedded.fileStore | int64)) 10) }}
{{- end }}

{{- $ingest := include "stream-infer.podValues" (dict "root" $root "values" $values.ingest) | fromJson }}
{{- /* The ingests open what it has, and the collector registers nothing else. */}}
{{- $sources := list }}
{{- with $values.sources.allow }}
{{- $sources = append $sources (dict "name" "SOURCES_ALLOW" "value" (join "," .)) }}
{{- end }}
{{- $cameras := list }}
{{- range $values.cameraSecrets }}
{{- $cameras = append $cameras (dict "secret" (dict "name" . "optional" true)) }}
{{- end }}
{{- $workloads = append $workloads (dict
  "name" (printf "%s-ingest" $fullname) "component" "ingest" "kind" "Deployment" "section" "ingest"
  "replicas" (include "stream-infer.ingestReplicas" $root | int)
  "values" $ingest "settings" dict "variables" (concat $instance $sources) "ports" dict "annotations" dict
  "volumes" (ternary (list (dict "name" "cameras" "projected" (dict "sources" $cameras "defaultMode" 288))) list (not (empty $cameras)))
  "mounts" (ternary (list (dict "name" "cameras" "mountPath" (include "stream-infer.camerasPath" nil) "readOnly" true)) list (not (empty $cameras)))
) }}

{{- $scheduler := include "stream-infer.podValues" (dict "root" $root "values" $values.scheduler) | fromJson }}
{{- $workloads = append $workloads (dict
  "name" (printf "%s-scheduler" $fullname) "component" "scheduler" "kind" "Deployment" "section" "scheduler"
  "replicas" (int $scheduler.replicas)
  "values" $scheduler "settings" $results "variables" (prepend $instance $configurationVariable) "ports" dict "annotations" dict
  "volumes" (list $configuration) "mounts" (list $configurationMount)
) }}

{{- $groups := dict "root" $root }}
{{- include "stream-infer.runnerGroups" $groups }}
{{- range $groups.groups }}
{{- $workloads = append $workloads (include "stream-infer.runnerWorkload" (dict "root" $root "group" . "volume" $configuration "mount" $configurationMount "variable" $configurationVariable) | fromJson) }}
{{- end }}

{{- $collector := include "stream-infer.podValues" (dict "root" $root "values" $values.collector) | fromJson }}
{{- $embedded := eq $values.store.kind "sqlite" }}
{{- $store := ternary (dict "storePath" "/data/results.sqlite") (dict "storeUrlFile" "/etc/stream-infer/store/url") $embedded }}
{{- $storeVolumes := list }}
{{- $storeMounts := list }}
{{- if not $embedded }}
{{- $storeItems := list (dict "key" $values.store.urlSecret.key "path" "url") }}
{{- with $values.store.urlSecret.caKey }}
{{- $_ := set $store "storeCa" "/etc/stream-infer/store/ca.crt" }}
{{- $storeItems = append $storeItems (dict "key" . "path" "ca.crt") }}
{{- end }}
{{- $storeVolumes = append $storeVolumes (dict "name" "store" "secret" (dict "secretName" $values.store.urlSecret.name "defaultMode" 288 "items" $storeItems)) }}
{{- $storeMounts = append $storeMounts (dict "name" "store" "mountPath" "/etc/stream-infer/store" "readOnly" true) }}
{{- end }}
{{- $collectorWorkload := dict
  "name" (printf "%s-collector" $fullname) "component" "collector" "section" "collector"
  "kind" (ternary "StatefulSet" "Deployment" $embedded)
  "replicas" (ternary 1 (int $collector.replicas) $embedded)
  "values" $collector "variables" (prepend $sources $configurationVariable) "ports" (dict "api" 8080) "annotations" dict
  "settings" (merge (dict "apiHost" $values.listenHost "apiPort" 8080) $store)
  "volumes" (prepend $storeVolumes $configuration) "mounts" (prepend $storeMounts $configurationMount)
}}
{{- with $collector.auth.tokensSecret }}
{{- $_ := set $collectorWorkload.settings "apiTokensFile" "/etc/stream-infer/api/tokens" }}
{{- $_ := set $collectorWorkload "volumes" (append $collectorWorkload.volumes (dict "name" "api-tokens" "secret" (dict "secretName" . "defaultMode" 288 "items" (list (dict "key" "tokens" "path" "tokens"))))) }}
{{- $_ := set $collectorWorkload "mounts" (append $collectorWorkload.mounts (dict "name" "api-tokens" "mountPath" "/etc/stream-infer/api" "readOnly" true)) }}
{{- end }}
{{- if $embedded }}
{{- $_ := set $collectorWorkload "mounts" (append $collectorWorkload.mounts (dict "name" "results" "mountPath" "/data")) }}
{{- $_ := set $collectorWorkload "claims" (list (include "stream-infer.claim" (dict "name" "results" "size" $values.store.sqlite.size "storageClassName" $values.store.sqlite.storageClassName) | fromJson)) }}
{{- end }}
{{- if $values.nats.embedded.enabled }}
{{- $_ := set $collectorWorkload.settings "busMemoryBytes" (include "stream-infer.bytes" $values.nats.embedded.memoryStore | int64) }}
{{- end }}
{{- $_ := merge $collectorWorkload.settings $results }}
{{- $workloads = append $workloads $collectorWorkload }}
{{- $_ := set . "workloads" $workloads }}
{{- end }}

{{/* A runner group's workload, as JSON: root, group, and the volume, mount and variable of the configuration. */}}
{{- define "stream-infer.runnerWorkload" -}}
{{- $root := .root }}
{{- $group := .group }}
{{- $runner := include "stream-infer.podValues" (dict "root" $root "values" (mustMergeOverwrite (deepCopy $root.Values.runners) $group.runner)) | fromJson }}
{{- $name := include "stream-infer.objectName" $group.name }}
{{- $served := list }}
{{- $definitions := list }}
{{- range $group.algorithms }}
{{- $served = append $served .name }}
{{- /* What only schedulers read restarts no runner. */}}
{{- $definitions = append $definitions (omit (include "stream-infer.definition" . | fromJson) "expectedMs" | toJson) }}
{{- end }}
{{- $storage := dict "root" $root "algorithms" $group.algorithms }}
{{- include "stream-infer.runnerStorage" $storage }}
{{- $autoscaling := mustMergeOverwrite (deepCopy $root.Values.autoscaling) $group.autoscaling }}
{{- $gpu := eq (default "cpu" $runner.device) "gpu" }}
{{- if $gpu }}
{{- $device := default dict $runner.gpu }}
{{- $resource := dict (default "nvidia.com/gpu" $device.resource) (default 1 $device.count | int) }}
{{- $_ := set $runner "resources" (mustMergeOverwrite $runner.resources (dict "limits" $resource)) }}
{{- $_ := set $runner "runtimeClassName" (default "" $device.runtimeClassName) }}
{{- if not $group.runner.image }}
{{- $_ := set $runner "image" $runner.gpuImage }}
{{- end }}
{{- end }}
{{- $settings := dict "grpcHost" $root.Values.listenHost "grpcPort" 50051 "serve" (join "," $served) }}
{{- if $gpu }}
{{- $_ := set $settings "modelDevice" "gpu" }}
{{- $_ := set $settings "requireGpu" (dig "gpu" "require" true $runner) }}
{{- end }}
{{- $address := ternary "[$(POD_IP)]:50051" "$(POD_IP):50051" (contains ":" $root.Values.listenHost) }}
{{- $variables := list .variable
  (dict "name" "POD_IP" "valueFrom" (dict "fieldRef" (dict "fieldPath" "status.podIP")))
  (dict "name" "ADVERTISE_ADDRESS" "value" $address)
}}
{{- $fetches := false }}
{{- range $group.algorithms }}
{{- $fetches = or $fetches (not (empty (default dict .model).url)) }}
{{- end }}
{{- $workload := dict "fetches" $fetches
  "name" (printf "%s-runner-%s" (include "stream-infer.fullname" $root) $name) "component" "algo-runner" "runner" $name
  "kind" "Deployment" "section" "algoRunner" "values" $runner "settings" $settings "variables" $variables
  "ports" (dict "grpc" 50051) "algorithms" $served "autoscaling" $autoscaling
  "volumes" (prepend $storage.volumes .volume) "mounts" (prepend $storage.mounts .mount)
  "initContainers" $storage.initContainers
  "annotations" (dict "checksum/algorithms" (join "\n" $definitions | sha256sum))
}}
{{- if not $autoscaling.enabled }}
{{- $_ := set $workload "replicas" (int $runner.replicas) }}
{{- end }}
{{- toJson $workload }}
{{- end }}

{{/* What the pods of a workload have: `pods`, and over it the workload's own values. As JSON. */}}
{{- define "stream-infer.podValues" -}}
{{- mustMergeOverwrite (deepCopy .root.Values.pods) (deepCopy .values) | toJson }}
{{- end }}

{{/* More ingests where more streams are listed than those that there are may hold. */}}
{{- define "stream-infer.ingestReplicas" -}}
{{- $least := int .Values.ingest.replicas }}
{{- $each := int .Values.ingest.streamsPerReplica }}
{{- if gt $each 0 }}
{{- max $least (div (add (len .Values.streams) (sub $each 1)) $each) }}
{{- else }}
{{- $least }}
{{- end }}
{{- end }}

{{/* A claim template of a StatefulSet, as JSON. */}}
{{- define "stream-infer.claim" -}}
{{- $spec := dict "accessModes" (list "ReadWriteOnce") "resources" (dict "requests" (dict "storage" .size)) }}
{{- if .storageClassName }}
{{- $_ := set $spec "storageClassName" .storageClassName }}
{{- end }}
{{- dict "metadata" (dict "name" .name) "spec" $spec | toJson }}
{{- end }}

{{/* A quantity such as 1Gi in bytes. */}}
{{- define "stream-infer.bytes" -}}
{{- $units := dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 }}
{{- mul (regexFind "^[0-9]+" . | int64) (get $units (regexFind "[A-Za-z]*$" .) | int64) }}
{{- end }}
