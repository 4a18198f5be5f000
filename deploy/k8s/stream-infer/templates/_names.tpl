{{/* What things are called, and the labels by which they are found. */}}

{{- define "stream-infer.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 34 | trimSuffix "-" }}
{{- end }}

{{/* Short enough that what is appended to it, an algorithm's name too, leaves a name of at most 63 characters. */}}
{{- define "stream-infer.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 34 | trimSuffix "-" }}
{{- else }}
{{- $name := include "stream-infer.name" . }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 34 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 34 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{/* Of all objects. */}}
{{- define "stream-infer.labels" -}}
{{ include "stream-infer.instanceLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: stream-infer
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "stream-infer.instanceLabels" -}}
app.kubernetes.io/name: {{ include "stream-infer.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Of the pods of a workload: a dictionary of root and workload. They never change, for a selector may not. */}}
{{- define "stream-infer.selectorLabels" -}}
{{ include "stream-infer.instanceLabels" .root }}
app.kubernetes.io/component: {{ .workload.component }}
{{- with .workload.runner }}
stream-infer/runner: {{ . }}
{{- end }}
{{- end }}

{{/* Metadata of an object that belongs to a workload: root and workload. */}}
{{- define "stream-infer.metadata" -}}
name: {{ .workload.name }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "stream-infer.labels" .root | nindent 2 }}
  app.kubernetes.io/component: {{ .workload.component }}
  {{- with .workload.runner }}
  stream-infer/runner: {{ . }}
  {{- end }}
{{- end }}

{{/* An image out of a repository, a tag or digest, and the registry of all: root and image. */}}
{{- define "stream-infer.image" -}}
{{- $image := .image }}
{{- $root := .root }}
{{- $first := first (splitList "/" $image.repository) }}
{{- $named := and (contains "/" $image.repository) (or (contains "." $first) (contains ":" $first) (eq $first "localhost")) }}
{{- $repository := $image.repository }}
{{- if and $root.Values.image.registry (not $named) }}
{{- $repository = printf "%s/%s" (trimSuffix "/" $root.Values.image.registry) $repository }}
{{- end }}
{{- if $image.digest }}
{{- printf "%s@%s" $repository $image.digest }}
{{- else }}
{{- $tag := default (default $root.Chart.AppVersion $root.Values.image.tag) $image.tag }}
{{- printf "%s:%s%s" $repository $tag (default "" $image.tagSuffix) }}
{{- end }}
{{- end }}

{{/* The name of a setting's variable: natsUrl, NATS_URL. */}}
{{- define "stream-infer.variable" -}}
{{- regexReplaceAll "[A-Z]" . "_${0}" | upper }}
{{- end }}

{{/* A value as text; numbers as they were written, and not as 4e+09. */}}
{{- define "stream-infer.text" -}}
{{- if kindIs "string" . }}{{ . }}{{ else }}{{ toJson . }}{{ end }}
{{- end }}
