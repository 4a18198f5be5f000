{{/*
A job that runs one command of the tools, as a hook: root, name, component, hook (when), args (a list), env, volumes and mounts beside those of the values, and deadline in seconds.
*/}}
{{- define "stream-infer.toolsJob" -}}
{{- $root := .root }}
{{- $values := include "stream-infer.podValues" (dict "root" $root "values" $root.Values.tools) | fromJson }}
{{- $context := dict "root" $root "workload" (dict "name" .name "component" .component "values" $values) -}}
apiVersion: batch/v1
kind: Job
metadata:
  {{- include "stream-infer.metadata" $context | nindent 2 }}
  annotations:
    helm.sh/hook: {{ .hook }}
    # One that failed stays for an hour, so that its log can be read.
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
spec:
  backoffLimit: 3
  activeDeadlineSeconds: {{ .deadline }}
  ttlSecondsAfterFinished: 3600
  template:
    metadata:
      labels:
        {{- include "stream-infer.selectorLabels" $context | nindent 8 }}
        {{- with $values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with $values.podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      restartPolicy: Never
      serviceAccountName: {{ include "stream-infer.serviceAccountName" $context }}
      automountServiceAccountToken: false
      enableServiceLinks: false
      securityContext:
        {{- include "stream-infer.podSecurity" nil | nindent 8 }}
      {{- with $root.Values.image.pullSecrets }}
      imagePullSecrets:
        {{- range . }}
        - name: {{ . }}
        {{- end }}
      {{- end }}
      {{- with include "stream-infer.scheduling" (dict "root" $root "workload" (dict "component" .component "values" (omit $values "topologySpreadConstraints"))) | trim }}
  {{- . | nindent 6 }}
  {{- end }}
      containers:
        - name: {{ .component }}
          image: {{ include "stream-infer.image" (dict "root" $root "image" $values.image) }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          args:
            {{- toYaml .args | nindent 12 }}
          securityContext:
            {{- include "stream-infer.containerSecurity" nil | nindent 12 }}
          env:
            {{- toYaml (concat (list (dict "name" "TMPDIR" "value" "/tmp")) .env $values.extraEnv) | nindent 12 }}
          {{- with $values.extraEnvFrom }}
          envFrom:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          resources:
            {{- toYaml $values.resources | nindent 12 }}
          volumeMounts:
            - {name: tmp, mountPath: /tmp}
            {{- with concat .mounts $values.extraVolumeMounts }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
      volumes:
        - {name: tmp, emptyDir: {}}
        {{- with concat .volumes $values.extraVolumes }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
{{- end }}
