{{/*
A pod that runs `hilum` once, from `serviceAccountName` on:
(dict "root" $ "component" "maintenance" "values" .Values.maintenance "arguments" (list "db" "upgrade")).
Further keys, all optional: initContainers, environment, volumes and volumeMounts as YAML text, script (a
shell script instead of arguments).
*/}}
{{- define "hilum.commandPod" -}}
{{- $root := .root -}}
serviceAccountName: {{ include "hilum.componentName" (list $root .component) }}
{{ include "hilum.podSecurity" $root }}
{{- with include "hilum.pullSecrets" $root }}
{{ . }}
{{- end }}
{{- with include "hilum.scheduling" (list $root .values .component) }}
{{ . }}
{{- end }}
{{- $caInit := include "hilum.caInit" (list $root $root.Values.images.cli) }}
{{- if or $caInit .initContainers }}
initContainers:
  {{- with $caInit }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with .initContainers }}
  {{- . | nindent 2 }}
  {{- end }}
{{- end }}
containers:
  - name: {{ .component }}
    {{- include "hilum.commandContainer" . | nindent 4 }}
volumes:
  {{- include "hilum.tmpVolume" (list $root (default "256Mi" .values.tmpSize)) | nindent 2 }}
  {{- with include "hilum.caVolume" $root }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with .volumes }}
  {{- . | nindent 2 }}
  {{- end }}
{{- end }}

{{/* The same dict; one container without its name. */}}
{{- define "hilum.commandContainer" -}}
image: {{ include "hilum.image" (list .root .root.Values.images.cli) }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
{{- if .script }}
command:
  - sh
  - -euc
  - |
    {{- .script | nindent 4 }}
{{- else }}
command: [hilum]
args:
  {{- toYaml .arguments | nindent 2 }}
{{- end }}
{{ include "hilum.containerSecurity" .root }}
env:
  {{- include "hilum.clientEnvironment" (list .root "cli") | nindent 2 }}
  {{- with .environment }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with .values.extraEnvironment }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
resources:
  {{- toYaml .values.resources | nindent 2 }}
volumeMounts:
  {{- include "hilum.tmpVolumeMount" .root | nindent 2 }}
  {{- with include "hilum.caVolumeMount" .root }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with .volumeMounts }}
  {{- . | nindent 2 }}
  {{- end }}
{{- end }}
