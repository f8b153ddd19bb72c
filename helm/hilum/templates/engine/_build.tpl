{{/*
Building of TensorRT engines on the GPU that will run them: an init container beside Triton, and, where it
is wanted, a Job ahead of it. The key of an engine in the cache holds graph, TensorRT, GPU and precision,
so GPUs of several kinds share a cache, and two builds of one engine wait for one another.
*/}}

{{/* (list $ pool): a container that reads /source and writes what Triton serves to /models. */}}
{{- define "hilum.engineBuild" -}}
{{- $root := index . 0 -}}
{{- $pool := index . 1 -}}
{{- $engine := $root.Values.engine -}}
- name: engine
  image: {{ include "hilum.image" (list $root $root.Values.images.engineGpu) }}
  imagePullPolicy: {{ $root.Values.image.pullPolicy }}
  command: [hilum-engine]
  args:
    - build
    - --models=/source
    - --cache=/engines
    - --out=/models
    # The known-answer test gives them to Prometheus, since this container ends.
    - --metrics=/models/hilum_engine.prom
    - --fallback={{ $engine.fallback }}
    - --precision={{ $engine.precision }}
    {{- if $engine.strict }}
    - --strict
    {{- end }}
  {{- include "hilum.containerSecurity" $root | nindent 2 }}
  resources:
    {{- include "hilum.poolResources" (list $engine.resources $pool) | nindent 4 }}
  volumeMounts:
    - name: source
      mountPath: /source
      readOnly: true
    - name: models
      mountPath: /models
    - name: engines
      mountPath: /engines
    {{- include "hilum.tmpVolumeMount" $root | nindent 4 }}
{{- end }}

{{/* Items of volumes, beside `models`. Takes $. */}}
{{- define "hilum.engineVolumes" -}}
- name: source
  emptyDir:
    sizeLimit: {{ .Values.models.sizeLimit }}
- name: engines
  {{- if .Values.engine.cache.persistent }}
  persistentVolumeClaim:
    claimName: {{ default (include "hilum.componentName" (list . "engines")) .Values.engine.cache.existingClaim }}
  {{- else }}
  emptyDir:
    sizeLimit: {{ .Values.engine.cache.size }}
  {{- end }}
{{- end }}

{{/* Takes $; JSON: the pools that serve engines. */}}
{{- define "hilum.enginePools" -}}
{{- $pools := dict -}}
{{- range $name, $pool := include "hilum.tritonPools" . | fromJson -}}
{{- if eq $pool.target "gpu-tensorrt" -}}{{- $_ := set $pools $name $pool -}}{{- end -}}
{{- end -}}
{{- toJson $pools -}}
{{- end }}

{{/* (list $ "l4" pool): template of the pod that builds ahead. */}}
{{- define "hilum.enginePod" -}}
{{- $root := index . 0 -}}
{{- $pool := index . 2 -}}
metadata:
  labels:
    {{- include "hilum.podLabels" (list $root "engine") | nindent 4 }}
    hilum.io/pool: {{ index . 1 }}
spec:
  restartPolicy: OnFailure
  serviceAccountName: {{ include "hilum.componentName" (list $root "engine") }}
  {{- include "hilum.podSecurity" $root | nindent 2 }}
  {{- with include "hilum.pullSecrets" $root }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with $pool.runtimeClassName }}
  runtimeClassName: {{ . }}
  {{- end }}
  {{- with include "hilum.scheduling" (list $root $pool "engine" (dict "hilum.io/pool" (index . 1))) }}
  {{- . | nindent 2 }}
  {{- end }}
  initContainers:
    {{- with include "hilum.caInit" (list $root $root.Values.images.engine) }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- include "hilum.modelsInit" (list $root "cpu" "/source" "source") | nindent 4 }}
  containers:
    {{- include "hilum.engineBuild" (list $root $pool) | nindent 4 }}
  volumes:
    {{- include "hilum.modelsVolume" $root | nindent 4 }}
    {{- include "hilum.engineVolumes" $root | nindent 4 }}
    {{- include "hilum.tmpVolume" (list $root $pool.tmpSize) | nindent 4 }}
    {{- with include "hilum.caVolume" $root }}
    {{- . | nindent 4 }}
    {{- end }}
{{- end }}
