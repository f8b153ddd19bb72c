{{/* Takes $; the slices that are enabled, each on top of worker.defaults, as JSON. */}}
{{- define "hilum.workerSlices" -}}
{{- $slices := dict -}}
{{- range $name, $slice := .Values.worker.slices -}}
{{- if $slice -}}
{{- $whole := mergeOverwrite (deepCopy $.Values.worker.defaults) (deepCopy $slice) -}}
{{- if $whole.enabled -}}
{{- $_ := set $slices $name $whole -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $slices -}}
{{- end }}

{{/* (list $ "stat"): labels of one slice's pods. */}}
{{- define "hilum.workerLabels" -}}
{{ include "hilum.selectorLabels" (list (index . 0) "worker") }}
hilum.io/slice: {{ index . 1 }}
{{- end }}

{{/* Not empty where KEDA counts jobs. Takes $. */}}
{{- define "hilum.kedaUsed" -}}
{{- range $name, $slice := include "hilum.workerSlices" . | fromJson -}}
{{- if eq $slice.autoscaling.kind "keda" -}}true{{- end -}}
{{- end -}}
{{- end }}
