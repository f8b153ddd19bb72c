{{/*
The models of a pod: an init container fetches them out of its own image or from an S3 bucket, holds
each file against the digest in its manifest, and renders them for a target into an emptyDir.
*/}}

{{/* (list $ "cpu" "/models"): an item of initContainers. A fourth element names another volume than `models`. */}}
{{- define "hilum.modelsInit" -}}
{{- $root := index . 0 -}}
{{- $volume := "models" -}}
{{- if gt (len .) 3 -}}{{- $volume = index . 3 -}}{{- end -}}
{{- $models := $root.Values.models -}}
- name: models
  image: {{ include "hilum.image" (list $root $root.Values.images.engine) }}
  imagePullPolicy: {{ $root.Values.image.pullPolicy }}
  command: [hilum-engine]
  args:
    - install
    - --source={{ ternary "$(HILUM_MODELS_URL)" $models.path (eq $models.source "s3") }}
    - --target={{ index . 1 }}
    - --out={{ index . 2 }}
  {{- if eq $models.source "s3" }}
  env:
    {{- include "hilum.modelsEnvironment" $root | nindent 4 }}
  {{- end }}
  {{- include "hilum.containerSecurity" $root | nindent 2 }}
  resources:
    {{- toYaml $models.resources | nindent 4 }}
  volumeMounts:
    - name: {{ $volume }}
      mountPath: {{ index . 2 }}
    {{- include "hilum.tmpVolumeMount" $root | nindent 4 }}
    {{- with include "hilum.caVolumeMount" $root }}
    {{- . | nindent 4 }}
    {{- end }}
{{- end }}

{{- define "hilum.modelsEnvironment" -}}
{{- if .Values.models.s3.bucket -}}
{{- if ne .Values.objectStore.mode "bundled" -}}
{{- fail "models.s3.bucket is a bucket of the bundled object store; elsewhere give the whole address in the key models-url of the Secret, and no bucket" -}}
{{- end -}}
{{ include "hilum.fromCredentials" (list . "HILUM_OBJECT_STORE_ACCESS_KEY" "object-store-access-key") }}
{{ include "hilum.fromCredentials" (list . "HILUM_OBJECT_STORE_SECRET_KEY" "object-store-secret-key") }}
- name: HILUM_MODELS_URL
  value: {{ include "hilum.bundledBucket" (list . (trimSuffix "/" (printf "%s/%s" .Values.models.s3.bucket .Values.models.s3.prefix))) | quote }}
{{- else -}}
{{ include "hilum.fromCredentials" (list . "HILUM_MODELS_URL" "models-url") }}
{{- end }}
{{ include "hilum.caEnvironment" . }}
{{- end }}

{{/* Items of volumes. Takes $. */}}
{{- define "hilum.modelsVolume" -}}
- name: models
  emptyDir:
    sizeLimit: {{ .Values.models.sizeLimit }}
{{- end }}

{{/* Items of volumeMounts, for the containers that only read. Takes $. */}}
{{- define "hilum.modelsVolumeMount" -}}
- name: models
  mountPath: /models
  readOnly: true
{{- end }}
