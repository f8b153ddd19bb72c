{{/*
The arrows of the architecture, once: who opens connections to whom. Both ends of an arrow come from this
table, so that no connection is allowed at one end and refused at the other. `outside` means a server that
is not of this release; an arrow to a component that is external becomes one to `networkPolicy.external`.
*/}}
{{- define "hilum.arrows" -}}
gateway: [postgresql, minio, redis]
worker: [postgresql, minio, redis, triton]
toolbox: [gateway, postgresql, minio, redis, triton, backup]
migrations: [postgresql, minio, redis]
maintenance: [postgresql, minio, redis, backup]
tests: [gateway, postgresql, minio, redis]
triton: {{ ternary "[minio]" "[]" (eq .Values.models.source "s3") }}
engine: {{ ternary "[minio]" "[]" (eq .Values.models.source "s3") }}
redis: []
postgresql: []
minio: []
{{- end }}

{{/* Ports of a component that others of the release open, and those that Prometheus reads. */}}
{{- define "hilum.ports" -}}
gateway: {serve: [8080], watch: [8080]}
worker: {serve: [], watch: [9100]}
triton: {serve: [8001], watch: [8002, 8010]}
redis: {serve: [6379], watch: []}
postgresql: {serve: [5432], watch: []}
minio: {serve: [9000], watch: []}
{{- end }}

{{/* Prometheus, as items of a policy's `from`. Takes $. */}}
{{- define "hilum.prometheusPeers" -}}
{{- toYaml .Values.networkPolicy.prometheus -}}
{{- end }}

{{/* (list $ "postgresql"): where a target stands, as {to, ports} in JSON. */}}
{{- define "hilum.target" -}}
{{- $root := index . 0 -}}
{{- $target := index . 1 -}}
{{- $outside := dict "postgresql" "postgresql" "redis" "redis" "minio" "objectStore" "backup" "backup" -}}
{{- $mode := "bundled" -}}
{{- if eq $target "postgresql" -}}{{- $mode = $root.Values.postgresql.mode -}}{{- end -}}
{{- if eq $target "redis" -}}{{- $mode = $root.Values.redis.mode -}}{{- end -}}
{{- if eq $target "minio" -}}{{- $mode = $root.Values.objectStore.mode -}}{{- end -}}
{{- if eq $target "backup" -}}{{- $mode = "external" -}}{{- end -}}
{{- if eq $mode "external" -}}
{{- $place := index $root.Values.networkPolicy.external (index $outside $target) -}}
{{- $to := list -}}
{{- range $place.cidrs -}}{{- $to = append $to (dict "ipBlock" (dict "cidr" .)) -}}{{- end -}}
{{- dict "to" $to "ports" (list (int $place.port)) | toJson -}}
{{- else if eq $mode "cloudnativepg" -}}
{{- dict "to" (list (dict "podSelector" (dict "matchLabels" (dict "cnpg.io/cluster" (include "hilum.cloudnativepgName" $root))))) "ports" (list 5432) | toJson -}}
{{- else -}}
{{- $labels := include "hilum.selectorLabels" . | fromYaml -}}
{{- $ports := index (include "hilum.ports" $root | fromYaml) $target -}}
{{- dict "to" (list (dict "podSelector" (dict "matchLabels" $labels))) "ports" $ports.serve | toJson -}}
{{- end -}}
{{- end }}

{{/* A list of port numbers as items of `ports`. */}}
{{- define "hilum.tcpPorts" -}}
{{- range . }}
- port: {{ int . }}
  protocol: TCP
{{- end }}
{{- end }}

{{/* (list $ "gateway"): the whole policy of a component, from the table. */}}
{{- define "hilum.networkPolicy" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $arrows := include "hilum.arrows" $root | fromYaml -}}
{{- $ports := default dict (index (include "hilum.ports" $root | fromYaml) $component) -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "hilum.componentName" . }}
  labels:
    {{- include "hilum.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      {{- include "hilum.selectorLabels" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    {{- range $from := keys $arrows | sortAlpha }}
    {{- if has $component (index $arrows $from) }}
    - from:
        - podSelector:
            matchLabels:
              {{- include "hilum.selectorLabels" (list $root $from) | nindent 14 }}
      ports:
        {{- include "hilum.tcpPorts" $ports.serve | nindent 8 }}
    {{- end }}
    {{- end }}
    {{- if eq $component "gateway" }}
    - {{ with $root.Values.networkPolicy.clients -}}
      from:
        {{- toYaml . | nindent 8 }}
      {{ end -}}
      ports:
        {{- include "hilum.tcpPorts" $ports.serve | nindent 8 }}
    {{- end }}
    {{- if $ports.watch }}
    {{- with $root.Values.networkPolicy.prometheus }}
    - from:
        {{- toYaml . | nindent 8 }}
      ports:
        {{- include "hilum.tcpPorts" $ports.watch | nindent 8 }}
    {{- end }}
    {{- end }}
    {{- if and (eq $component "postgresql") (include "hilum.kedaUsed" $root) }}
    {{- with $root.Values.networkPolicy.keda }}
    - from:
        {{- toYaml . | nindent 8 }}
      ports:
        {{- include "hilum.tcpPorts" $ports.serve | nindent 8 }}
    {{- end }}
    {{- end }}
  egress:
    {{- range $target := index $arrows $component }}
    {{- $place := include "hilum.target" (list $root $target) | fromJson }}
    - to:
        {{- toYaml $place.to | nindent 8 }}
      ports:
        {{- include "hilum.tcpPorts" $place.ports | nindent 8 }}
    {{- end }}
{{- end }}
