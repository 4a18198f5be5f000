{{/* The small NATS server for trials. */}}

{{/* As a workload, as far as names, labels and scheduling go; as JSON. */}}
{{- define "stream-infer.embeddedNats" -}}
{{- dict "name" (printf "%s-nats" (include "stream-infer.fullname" .)) "component" "nats" "values" .Values.pods | toJson }}
{{- end }}

{{/* Its store may take what its volume has, less what a file system takes for itself. */}}
{{- define "stream-infer.natsConfiguration" -}}
{{- $nats := .Values.nats.embedded -}}
server_name: {{ include "stream-infer.fullname" . }}-nats
listen: "{{ .Values.listenHost }}:4222"
http: "{{ .Values.listenHost }}:8222"
# A frame, or what is told of a batch; and what one connection may have waiting.
max_payload: 16MB
max_pending: 256MB
jetstream {
  store_dir: /var/lib/nats
  max_memory_store: {{ include "stream-infer.bytes" $nats.memoryStore }}
  max_file_store: {{ div (mul 9 (include "stream-infer.bytes" $nats.fileStore | int64)) 10 }}
  sync_interval: always
}
{{- end }}
