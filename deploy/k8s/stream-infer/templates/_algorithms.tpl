{{/* From the algorithms of the values to the configuration of the services, and to the runners that serve them. */}}

{{- define "stream-infer.modulesPath" -}}/algorithms{{- end }}
{{- define "stream-infer.modelsPath" -}}/models/cache{{- end }}
{{- define "stream-infer.configurationPath" -}}/etc/stream-infer/configuration{{- end }}
{{- define "stream-infer.camerasPath" -}}/etc/stream-infer/cameras{{- end }}

{{/* Where a runner finds the model of an algorithm. */}}
{{- define "stream-infer.modelFile" -}}
{{- if .url }}{{ printf "%s/%s" (include "stream-infer.modelsPath" nil) .sha256 }}
{{- else if .configMap }}{{ printf "/models/configmap-%s/%s" .configMap .file }}
{{- else if .persistentVolumeClaim }}{{ printf "/models/claim-%s/%s" .persistentVolumeClaim .file }}
{{- else }}{{ printf "/models/image-%s/%s" (sha256sum .image | trunc 12) (base .file) }}
{{- end }}
{{- end }}

{{/* An algorithm as the configuration has it: what only the chart reads is left out, what the chart knows is put in. As JSON. */}}
{{- define "stream-infer.definition" -}}
{{- $runner := default dict .runner }}
{{- $definition := omit . "model" "module" "runner" "runnerGroup" "autoscaling" }}
{{- $definition = merge $definition (pick $runner "concurrency" "maxBatch" "maxDelayMs") (pick (default dict .autoscaling) "expectedMs") }}
{{- $options := deepCopy (default dict .options) }}
{{- with .module }}
{{- $_ := set $definition "use" (printf "%s/%s/%s" (include "stream-infer.modulesPath" nil) .configMap .file) }}
{{- end }}
{{- with .model }}
{{- $_ := set $options "model" (include "stream-infer.modelFile" .) }}
{{- end }}
{{- if $options }}
{{- $_ := set $definition "options" $options }}
{{- end }}
{{- toJson $definition }}
{{- end }}

{{/* The configuration file of the services: all algorithms. */}}
{{- define "stream-infer.configuration" -}}
{{- $definitions := list }}
{{- range .Values.algorithms }}
{{- $definitions = append $definitions (include "stream-infer.definition" . | fromJson) }}
{{- end }}
{{- toYaml (dict "algorithms" $definitions) }}
{{- end }}

{{/* The streams as the command applies them, with the algorithms that they name. */}}
{{- define "stream-infer.streams" -}}
{{- $streams := list }}
{{- range .Values.streams }}
{{- $stream := deepCopy . }}
{{- with .sourceFrom }}
{{- if .cameraSecret }}
{{- $_ := set $stream "sourceFrom" (dict "file" (printf "%s/%s" (include "stream-infer.camerasPath" nil) .cameraSecret)) }}
{{- end }}
{{- end }}
{{- $streams = append $streams $stream }}
{{- end }}
{{- $configuration := include "stream-infer.configuration" . | fromYaml }}
{{- toYaml (set $configuration "streams" $streams) }}
{{- end }}

{{/*
Sets `groups` of the dictionary that it is given, beside `root`: a list of {name, algorithms, runner, autoscaling}, one for each
runner group and for each algorithm that is in none, in the order of the values.
*/}}
{{- define "stream-infer.runnerGroups" -}}
{{- $groups := list }}
{{- $byName := dict }}
{{- range .root.Values.algorithms }}
{{- $key := ternary (printf "group %s" (default "" .runnerGroup)) (printf "algorithm %s" .name) (not (empty .runnerGroup)) }}
{{- if not (hasKey $byName $key) }}
{{- $name := default .name .runnerGroup }}
{{- $group := dict "name" $name "algorithms" list "runner" dict "autoscaling" dict }}
{{- $_ := set $byName $key $group }}
{{- $groups = append $groups $group }}
{{- end }}
{{- $group := get $byName $key }}
{{- $_ := set $group "algorithms" (append $group.algorithms .) }}
{{- $_ := set $group "runner" (mustMergeOverwrite $group.runner (deepCopy (omit (default dict .runner) "concurrency" "maxBatch" "maxDelayMs"))) }}
{{- $_ := set $group "autoscaling" (mustMergeOverwrite $group.autoscaling (deepCopy (omit (default dict .autoscaling) "expectedMs"))) }}
{{- end }}
{{- $_ := set . "groups" $groups }}
{{- end }}

{{/* A name of an algorithm as Kubernetes takes one. */}}
{{- define "stream-infer.objectName" -}}
{{- $plain := . | lower | replace "_" "-" | trimSuffix "-" }}
{{- if or (ne $plain .) (gt (len $plain) 20) }}
{{- printf "%s-%s" (trunc 13 $plain | trimSuffix "-") (sha256sum . | trunc 6) }}
{{- else }}
{{- $plain }}
{{- end }}
{{- end }}
