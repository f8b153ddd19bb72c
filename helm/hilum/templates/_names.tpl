{{/*
Names and labels. Those that need a component take (list $ "gateway").
*/}}

{{- define "hilum.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 32 | trimSuffix "-" -}}
{{- end }}

{{/*
Name of the release's objects, at most 32 characters: a CronJob's name may have 52 and its component
takes up to 20 of them. A longer name is cut and told apart by a digest of the whole.
*/}}
{{- define "hilum.fullname" -}}
{{- $name := .Values.fullnameOverride -}}
{{- if not $name -}}
{{- $chart := include "hilum.name" . -}}
{{- $name = ternary .Release.Name (printf "%s-%s" .Release.Name $chart) (contains $chart .Release.Name) -}}
{{- end -}}
{{- if gt (len $name) 32 -}}
{{- printf "%s-%s" ($name | trunc 25 | trimSuffix "-") (sha256sum $name | trunc 6) -}}
{{- else -}}
{{- $name -}}
{{- end -}}
{{- end }}

{{- define "hilum.componentName" -}}
{{- printf "%s-%s" (include "hilum.fullname" (index . 0)) (index . 1) -}}
{{- end }}

{{/* What Services, Deployments, budgets and policies select; never changes in a release's life. */}}
{{- define "hilum.selectorLabels" -}}
app.kubernetes.io/name: {{ include "hilum.name" (index . 0) }}
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* Of every object but pods: the chart's version in a pod would restart all of them with each release. */}}
{{- define "hilum.labels" -}}
{{ include "hilum.selectorLabels" . }}
app.kubernetes.io/part-of: hilum
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
helm.sh/chart: {{ printf "%s-%s" (index . 0).Chart.Name (index . 0).Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "hilum.podLabels" -}}
{{ include "hilum.selectorLabels" . }}
app.kubernetes.io/part-of: hilum
{{- end }}

{{/* A ServiceAccount without rights and without a token: no pod of Hilum talks to Kubernetes. */}}
{{- define "hilum.serviceAccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "hilum.componentName" . }}
  labels:
    {{- include "hilum.labels" . | nindent 4 }}
automountServiceAccountToken: false
{{- end }}

{{/* Not empty where connections inside the release are encrypted. Takes $. */}}
{{- define "hilum.tlsEnabled" -}}
{{- if ne .Values.tls.mode "off" }}true{{ end -}}
{{- end }}

{{/* Secret with tls.crt and tls.key of a component: (list $ "gateway"), also triton, redis, postgresql, objectStore. */}}
{{- define "hilum.tlsSecretName" -}}
{{- $root := index . 0 -}}
{{- if eq $root.Values.tls.mode "existing" -}}
{{- required (printf "tls.mode is existing: tls.existing.%s must name the Secret with tls.crt and tls.key" (index . 1)) (index $root.Values.tls.existing (index . 1)) -}}
{{- else -}}
{{- printf "%s-%s-tls" (include "hilum.fullname" $root) (index . 1 | lower) -}}
{{- end -}}
{{- end }}
