{{/*
Takes $; an item of initContainers that waits until the database has the schema of this release, so that
no new worker takes a job of an old schema while an upgrade's migrations run.
*/}}
{{- define "hilum.schemaInit" -}}
- name: schema
  image: {{ include "hilum.image" (list . .Values.images.cli) }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  command:
    - sh
    - -uc
    - |
      trap 'exit 1' TERM
      until hilum db check; do
        echo "waiting for the Job of the migrations"
        sleep 3
      done
  {{- include "hilum.containerSecurity" . | nindent 2 }}
  env:
    {{- include "hilum.databaseEnvironment" . | nindent 4 }}
    {{- with include "hilum.caEnvironment" . }}
    {{- . | nindent 4 }}
    {{- end }}
  resources:
    {{- toYaml .Values.migrations.resources | nindent 4 }}
  volumeMounts:
    {{- include "hilum.tmpVolumeMount" . | nindent 4 }}
    {{- with include "hilum.caVolumeMount" . }}
    {{- . | nindent 4 }}
    {{- end }}
{{- end }}
