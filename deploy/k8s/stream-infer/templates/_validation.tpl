{{/* What values.schema.json cannot say, because it is between keys. Each message names the key, and what to do. */}}
{{- define "stream-infer.validate" -}}
{{- $values := .Values }}
{{- if not $values.algorithms }}
{{- fail "values: algorithms is empty: list at least one, such as {name: stats, use: frame-stats, interval: 1}" }}
{{- end }}
{{- if and (not $values.nats.embedded.enabled) (not $values.nats.url) }}
{{- fail "values: nats.url is empty: give the NATS servers, such as nats://nats:4222, or set nats.embedded.enabled for a trial" }}
{{- end }}
{{- if and $values.nats.embedded.enabled $values.nats.url }}
{{- fail "values: nats.url and nats.embedded.enabled are both set: keep one" }}
{{- end }}
{{- if and $values.nats.embedded.enabled (or $values.nats.credentialsSecret $values.nats.tls.caSecret $values.nats.tls.certSecret) }}
{{- fail "values: nats.embedded.enabled is for trials, and its server has neither users nor TLS: leave nats.credentialsSecret and nats.tls out, or use a server of your own" }}
{{- end }}
{{- if and $values.nats.embedded.enabled (gt (int $values.nats.replicas) 1) }}
{{- fail "values: nats.replicas is more than 1, and nats.embedded is one server: use a cluster of your own" }}
{{- end }}
{{- if contains "@" $values.nats.url }}
{{- fail "values: nats.url holds credentials, and everybody who reads the release would read them: put them into a Secret, and name it in nats.credentialsSecret" }}
{{- end }}
{{- if ne (empty $values.grpc.tls.schedulerSecret) (empty $values.grpc.tls.runnerSecret) }}
{{- fail "values: of grpc.tls.schedulerSecret and grpc.tls.runnerSecret one is given: give both, or neither" }}
{{- end }}
{{- if and $values.collector.auth.tokensSecret (not $values.collector.auth.tokenSecret.name) }}
{{- fail "values: collector.auth.tokenSecret.name is empty: with tokensSecret the job that applies the streams needs a token too, of the role operate" }}
{{- end }}
{{- if and (eq $values.store.kind "postgres") (not $values.store.urlSecret.name) }}
{{- fail "values: store.urlSecret.name is empty: with store.kind postgres it is the Secret that holds the URL of the database" }}
{{- end }}
{{- if and (eq $values.models.cache.kind "claim") (not $values.models.cache.claimName) }}
{{- fail "values: models.cache.claimName is empty: with models.cache.kind claim it is the PersistentVolumeClaim that runners share" }}
{{- end }}
{{- if and $values.collector.ingress.enabled (not $values.collector.ingress.hosts) }}
{{- fail "values: collector.ingress.hosts is empty: give at least one, such as {host: results.example}" }}
{{- end }}
{{- include "stream-infer.validateAlgorithms" . }}
{{- include "stream-infer.validateStreams" . }}
{{- include "stream-infer.validateGroups" . }}
{{- end }}

{{- define "stream-infer.validateAlgorithms" -}}
{{- $seen := dict }}
{{- range $index, $algorithm := .Values.algorithms }}
{{- $where := printf "values: algorithms[%d] (%s)" $index $algorithm.name }}
{{- if hasKey $seen $algorithm.name }}
{{- fail (printf "values: algorithms[%d] and algorithms[%d] are both named %s: give each a name of its own" (get $seen $algorithm.name | int) $index $algorithm.name) }}
{{- end }}
{{- $_ := set $seen $algorithm.name $index }}
{{- if eq (empty $algorithm.use) (empty $algorithm.module) }}
{{- fail (printf "%s: give use, a built-in or a path in the image, or module, a file of a ConfigMap, and not both" $where) }}
{{- end }}
{{- if and $algorithm.model (hasKey (default dict $algorithm.options) "model") }}
{{- fail (printf "%s: model and options.model are both given: keep one" $where) }}
{{- end }}
{{- $paces := 0 }}
{{- range list "interval" "intervalFrames" "after" }}
{{- if hasKey $algorithm . }}{{ $paces = add1 $paces }}{{ end }}
{{- end }}
{{- if gt (int $paces) 1 }}
{{- fail (printf "%s: give one of interval, intervalFrames and after" $where) }}
{{- end }}
{{- end }}
{{- range $index, $algorithm := .Values.algorithms }}
{{- range ternary (list $algorithm.after) (default list $algorithm.after) (kindIs "string" $algorithm.after) }}
{{- if not (hasKey $seen .) }}
{{- fail (printf "values: algorithms[%d].after names %s, which algorithms does not define: it defines %s" $index . (keys $seen | sortAlpha | join ", ")) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "stream-infer.validateStreams" -}}
{{- $algorithms := dict }}
{{- range .Values.algorithms }}
{{- $_ := set $algorithms .name true }}
{{- end }}
{{- $seen := dict }}
{{- $cameras := .Values.cameraSecrets }}
{{- range $index, $stream := .Values.streams }}
{{- $where := printf "values: streams[%d] (%s)" $index $stream.id }}
{{- if hasKey $seen $stream.id }}
{{- fail (printf "values: streams[%d] and streams[%d] both have the id %s: give each its own" (get $seen $stream.id | int) $index $stream.id) }}
{{- end }}
{{- $_ := set $seen $stream.id $index }}
{{- if eq (empty $stream.source) (empty $stream.sourceFrom) }}
{{- fail (printf "%s: give source or sourceFrom, and not both" $where) }}
{{- end }}
{{- if regexMatch "://[^/?#]*@" (default "" $stream.source) }}
{{- fail (printf "%s: source holds credentials: put the URL into a Secret of cameraSecrets, and say sourceFrom: {cameraSecret: KEY}" $where) }}
{{- end }}
{{- if and (hasKey (default dict $stream.sourceFrom) "cameraSecret") (not $cameras) }}
{{- fail (printf "%s: sourceFrom.cameraSecret names a key, and cameraSecrets lists no Secret that could have it" $where) }}
{{- end }}
{{- range $at, $listed := $stream.algorithms }}
{{- $name := $listed }}
{{- if kindIs "map" $listed }}{{ $name = $listed.name }}{{ end }}
{{- if not (hasKey $algorithms $name) }}
{{- fail (printf "values: streams[%d].algorithms[%d] is %s, which algorithms does not define: it defines %s" $index $at $name (keys $algorithms | sortAlpha | join ", ")) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "stream-infer.validateGroups" -}}
{{- $groups := dict "root" . }}
{{- include "stream-infer.runnerGroups" $groups }}
{{- $names := dict }}
{{- range $groups.groups }}
{{- $group := . }}
{{- $objectName := include "stream-infer.objectName" .name }}
{{- if hasKey $names $objectName }}
{{- fail (printf "values: the runners of %s and of %s would both be called %s: rename one, or put both into one runnerGroup" (get $names $objectName) .name $objectName) }}
{{- end }}
{{- $_ := set $names $objectName .name }}
{{- range .algorithms }}
{{- range $key, $value := omit (default dict .runner) "concurrency" "maxBatch" "maxDelayMs" }}
{{- if ne (toJson $value) (toJson (get $group.runner $key)) }}
{{- fail (printf "values: algorithms of runnerGroup %s say different things of runner.%s: say it once" $group.name $key) }}
{{- end }}
{{- end }}
{{- range $key, $value := omit (default dict .autoscaling) "expectedMs" }}
{{- if ne (toJson $value) (toJson (get $group.autoscaling $key)) }}
{{- fail (printf "values: algorithms of runnerGroup %s say different things of autoscaling.%s: say it once" $group.name $key) }}
{{- end }}
{{- end }}
{{- end }}
{{- $autoscaling := mustMergeOverwrite (deepCopy $groups.root.Values.autoscaling) (deepCopy .autoscaling) }}
{{- if $autoscaling.enabled }}
{{- if gt (int $autoscaling.minReplicas) (int $autoscaling.maxReplicas) }}
{{- fail (printf "values: autoscaling of %s: minReplicas is %v, more than maxReplicas, which is %v" .name $autoscaling.minReplicas $autoscaling.maxReplicas) }}
{{- end }}
{{- if and (eq $autoscaling.kind "hpa") (lt (int $autoscaling.minReplicas) 1) }}
{{- fail (printf "values: autoscaling of %s: minReplicas is 0, which takes kind keda: a HorizontalPodAutoscaler keeps at least 1" .name) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
