{{/* A NetworkPolicy: root, workload, the rules of what comes in and goes out, and annotations where it has some. Everybody may have names resolved. */}}
{{- define "stream-infer.networkPolicy" }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "stream-infer.metadata" . | nindent 2 }}
  {{- with .annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  podSelector:
    matchLabels:
      {{- include "stream-infer.selectorLabels" . | trim | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    {{- toYaml .in | nindent 4 }}
  egress:
    - ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
      {{- with .root.Values.networkPolicy.dns }}
      to:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    {{- with .out }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}

{{/* A rule as JSON: `from` or `to`, peers (none: everywhere), ports (none: all). */}}
{{- define "stream-infer.rule" -}}
{{- $rule := dict }}
{{- if index . 1 }}
{{- $_ := set $rule (index . 0) (index . 1) }}
{{- end }}
{{- $ports := list }}
{{- range index . 2 }}
{{- $ports = append $ports (dict "port" (int .) "protocol" "TCP") }}
{{- end }}
{{- if $ports }}
{{- $_ := set $rule "ports" $ports }}
{{- end }}
{{- toJson $rule }}
{{- end }}

{{/* The ports of the servers of nats.url, as JSON. */}}
{{- define "stream-infer.natsPorts" -}}
{{- $ports := dict }}
{{- range splitList "," (include "stream-infer.natsUrl" .) }}
{{- $_ := set $ports (regexFind "[0-9]+$" (default ":4222" (regexFind ":[0-9]+/?$" (trim .) | trimSuffix "/"))) true }}
{{- end }}
{{- keys $ports | sortAlpha | toJson }}
{{- end }}
