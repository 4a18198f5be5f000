{{/*
Where the runners of some algorithms find their models and modules. Sets `volumes`, `mounts` and `initContainers` of the dictionary
that it is given, beside `root` and `algorithms`: each of them once, however many algorithms share it.
*/}}
{{- define "stream-infer.runnerStorage" -}}
{{- $root := .root }}
{{- $cache := $root.Values.models.cache }}
{{- $volumes := dict }}
{{- $mounts := dict }}
{{- $init := dict }}
{{- range .algorithms }}
{{- with .module }}
{{- $name := include "stream-infer.volumeName" (list "module" .configMap) }}
{{- $_ := set $volumes $name (dict "name" $name "configMap" (dict "name" .configMap)) }}
{{- $_ := set $mounts $name (dict "name" $name "mountPath" (printf "%s/%s" (include "stream-infer.modulesPath" nil) .configMap) "readOnly" true) }}
{{- end }}
{{- with .model }}
{{- if .url }}
{{- $_ := set $volumes "models" (include "stream-infer.cacheVolume" $root | fromJson) }}
{{- $_ := set $mounts "models" (dict "name" "models" "mountPath" (include "stream-infer.modelsPath" nil) "readOnly" true) }}
{{- $name := printf "fetch-%s" (trunc 12 .sha256) }}
{{- $_ := set $init $name (include "stream-infer.fetchContainer" (dict "root" $root "name" $name "model" .) | fromJson) }}
{{- else if .configMap }}
{{- $name := include "stream-infer.volumeName" (list "model" .configMap) }}
{{- $_ := set $volumes $name (dict "name" $name "configMap" (dict "name" .configMap)) }}
{{- $_ := set $mounts $name (dict "name" $name "mountPath" (include "stream-infer.modelFile" . | dir) "readOnly" true) }}
{{- else if .persistentVolumeClaim }}
{{- $name := include "stream-infer.volumeName" (list "model" .persistentVolumeClaim) }}
{{- $_ := set $volumes $name (dict "name" $name "persistentVolumeClaim" (dict "claimName" .persistentVolumeClaim "readOnly" true)) }}
{{- $_ := set $mounts $name (dict "name" $name "mountPath" (printf "/models/claim-%s" .persistentVolumeClaim) "readOnly" true) }}
{{- else }}
{{- $path := include "stream-infer.modelFile" . }}
{{- $name := printf "copy-%s" (sha256sum (printf "%s %s" .image .file) | trunc 12) }}
{{- $volume := printf "model-image-%s" (sha256sum .image | trunc 12) }}
{{- $_ := set $volumes $volume (dict "name" $volume "emptyDir" (dict "sizeLimit" $cache.size)) }}
{{- $_ := set $mounts $volume (dict "name" $volume "mountPath" (dir $path) "readOnly" true) }}
{{- $_ := set $init $name (dict
  "name" $name "image" .image "imagePullPolicy" $root.Values.image.pullPolicy
  "command" (list "cp" .file $path)
  "resources" $root.Values.tools.resources
  "securityContext" (include "stream-infer.containerSecurity" nil | fromYaml)
  "volumeMounts" (list (dict "name" $volume "mountPath" (dir $path)))
) }}
{{- end }}
{{- end }}
{{- end }}
{{- $_ := set . "volumes" (include "stream-infer.valuesByKey" $volumes | fromJsonArray) }}
{{- $_ := set . "mounts" (include "stream-infer.valuesByKey" $mounts | fromJsonArray) }}
{{- $_ := set . "initContainers" (include "stream-infer.valuesByKey" $init | fromJsonArray) }}
{{- end }}

{{/* The volume in which fetched models are kept, as JSON. */}}
{{- define "stream-infer.cacheVolume" -}}
{{- $cache := .Values.models.cache }}
{{- if eq $cache.kind "pod" }}
{{- dict "name" "models" "emptyDir" (dict "sizeLimit" $cache.size) | toJson }}
{{- else if eq $cache.kind "node" }}
{{- dict "name" "models" "persistentVolumeClaim" (dict "claimName" (printf "%s-models" (include "stream-infer.fullname" .))) | toJson }}
{{- else }}
{{- dict "name" "models" "persistentVolumeClaim" (dict "claimName" $cache.claimName) | toJson }}
{{- end }}
{{- end }}

{{/* The init container that fetches a model, as JSON: root, name and model. */}}
{{- define "stream-infer.fetchContainer" -}}
{{- $tools := .root.Values.tools }}
{{- $container := dict
  "name" .name
  "image" (include "stream-infer.image" (dict "root" .root "image" $tools.image))
  "imagePullPolicy" .root.Values.image.pullPolicy
  "args" (list "fetch" .model.url (include "stream-infer.modelFile" .model) "--sha256" .model.sha256)
  "resources" $tools.resources
  "securityContext" (include "stream-infer.containerSecurity" nil | fromYaml)
  "volumeMounts" (list (dict "name" "models" "mountPath" (include "stream-infer.modelsPath" nil)))
}}
{{- with .model.authorizationSecret }}
{{- $_ := set $container "env" (list (dict "name" "STREAM_INFER_FETCH_AUTHORIZATION" "valueFrom" (dict "secretKeyRef" .))) }}
{{- end }}
{{- toJson $container }}
{{- end }}

{{/* A volume's name out of what it holds and whose it is. */}}
{{- define "stream-infer.volumeName" -}}
{{- printf "%s-%s-%s" (index . 0) (index . 1 | replace "." "-" | trunc 40 | trimSuffix "-") (sha256sum (index . 1) | trunc 6) }}
{{- end }}

{{/* The values of a dictionary in the order of its keys, as JSON. */}}
{{- define "stream-infer.valuesByKey" -}}
{{- $dictionary := . }}
{{- $values := list }}
{{- range keys . | sortAlpha }}
{{- $values = append $values (get $dictionary .) }}
{{- end }}
{{- toJson $values }}
{{- end }}
