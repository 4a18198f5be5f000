{{/*
What Prometheus is asked for an algorithm's runners, in percent of one runner (packages/core/src/autoscaling-query.ts says why): root,
algorithm, autoscaling.
*/}}
{{- define "stream-infer.loadQuery" -}}
{{- $matchers := printf "namespace=%q,prefix=~%q,algorithm=%q" .root.Release.Namespace (printf "%s|" .root.Values.nats.prefix) .algorithm }}
{{- $load := printf "sum(stream_infer_offered_load{%s,mode=\"realtime\"})" $matchers }}
{{- if .autoscaling.offline }}
{{- $target := include "stream-infer.text" .autoscaling.targetUtilization }}
{{- $load = printf "(%s + %s * sum(stream_infer_offered_load{%s,mode=\"offline\"}))" $load $target $matchers }}
{{- end }}
{{- printf "100 * %s / max(stream_infer_runner_capacity{%s})" $load $matchers }}
{{- end }}

{{/* How much of it each runner is to have: a whole number, for KEDA cuts it to one where it falls back. */}}
{{- define "stream-infer.loadThreshold" -}}
{{- round (mulf 100 .targetUtilization) 0 | int }}
{{- end }}
