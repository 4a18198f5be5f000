{{/*
How a service shows to NATS, and scheduler and runners to each other, who they are: sets `settings`, `volumes` and `mounts` of the dictionary that it is given, beside `root` and `component`.
Each pod has its own credentials alone.
*/}}
{{- define "stream-infer.identity" -}}
{{- $nats := .root.Values.nats }}
{{- $settings := dict }}
{{- $volumes := list }}
{{- $mounts := list }}
{{- if $nats.credentialsSecret }}
{{- $path := "/etc/stream-infer/nats/credentials" }}
{{- $suffix := get (dict "creds" ".creds" "nkey" ".nk" "password" ".password") $nats.credentials }}
{{- $own := ternary "token" (printf "%s%s" .component $suffix) (eq $nats.credentials "token") }}
{{- $key := default $own $nats.key }}
{{- $setting := get (dict "creds" "natsCreds" "nkey" "natsNkey" "password" "natsPasswordFile" "token" "natsTokenFile") $nats.credentials }}
{{- $_ := set $settings $setting (printf "%s/%s" $path $key) }}
{{- if eq $nats.credentials "password" }}
{{- $_ := set $settings "natsUser" (default .component $nats.user) }}
{{- end }}
{{- $volumes = append $volumes (dict "name" "nats-credentials" "secret" (dict "secretName" $nats.credentialsSecret "defaultMode" 288 "items" (list (dict "key" $key "path" $key)))) }}
{{- $mounts = append $mounts (dict "name" "nats-credentials" "mountPath" $path "readOnly" true) }}
{{- end }}
{{- with $nats.tls.caSecret }}
{{- $_ := set $settings "natsCa" "/etc/stream-infer/nats/ca/ca.crt" }}
{{- $volumes = append $volumes (dict "name" "nats-ca" "secret" (dict "secretName" . "items" (list (dict "key" "ca.crt" "path" "ca.crt")))) }}
{{- $mounts = append $mounts (dict "name" "nats-ca" "mountPath" "/etc/stream-infer/nats/ca" "readOnly" true) }}
{{- end }}
{{- with $nats.tls.certSecret }}
{{- $_ := set $settings "natsCert" "/etc/stream-infer/nats/cert/tls.crt" }}
{{- $_ := set $settings "natsKey" "/etc/stream-infer/nats/cert/tls.key" }}
{{- $volumes = append $volumes (dict "name" "nats-cert" "secret" (dict "secretName" . "defaultMode" 288)) }}
{{- $mounts = append $mounts (dict "name" "nats-cert" "mountPath" "/etc/stream-infer/nats/cert" "readOnly" true) }}
{{- end }}
{{- with $nats.tls.serverName }}
{{- $_ := set $settings "natsServerName" . }}
{{- end }}
{{- $certificate := get (dict "scheduler" .root.Values.grpc.tls.schedulerSecret "algo-runner" .root.Values.grpc.tls.runnerSecret) .component }}
{{- with $certificate }}
{{- $path := "/etc/stream-infer/grpc" }}
{{- $_ := set $settings "grpcCa" (printf "%s/ca.crt" $path) }}
{{- $_ := set $settings "grpcCert" (printf "%s/tls.crt" $path) }}
{{- $_ := set $settings "grpcKey" (printf "%s/tls.key" $path) }}
{{- $volumes = append $volumes (dict "name" "grpc" "secret" (dict "secretName" . "defaultMode" 288)) }}
{{- $mounts = append $mounts (dict "name" "grpc" "mountPath" $path "readOnly" true) }}
{{- end }}
{{- $_ := set . "settings" $settings }}
{{- $_ := set . "volumes" $volumes }}
{{- $_ := set . "mounts" $mounts }}
{{- end }}
