{{/*
The arrows of the architecture, once: who opens connections to whom. Both ends of an arrow come from this
table, so that no connection is allowed at one end and refused at the other. An arrow to a component that
is external, to `backup` (the store for backups), or to `models` (a bucket outside the release) becomes one
to the addresses of `networkPolicy.external`.
*/}}
{{- define "hilum.arrows" -}}
{{- $source := "" -}}
{{- if eq .Values.models.source "s3" -}}{{- $source = ternary "minio" "models" (ne .Values.models.s3.bucket "") -}}{{- end -}}
{{- $models := ternary ", models" "" (eq $source "models") -}}
{{- /* A claim is mounted by the node and needs no arrow. */}}
{{- $backup := ternary ", backup" "" (ne .Values.maintenance.backup.to.existingSecret "") -}}
gateway: [postgresql, minio, redis{{ $models }}]
worker: [postgresql, minio, redis, triton{{ $models }}]
toolbox: [gateway, postgresql, minio, triton{{ $backup }}{{ $models }}]
migrations: [postgresql, minio]
maintenance: [postgresql, minio{{ $backup }}]
tests: [gateway, postgresql]
triton: [{{ $source }}]
engine: [{{ $source }}]
redis: []
postgresql: []
minio: []
{{- end }}

{{/* Ports of a component that others of the release open, and those that Prometheus reads. */}}
{{- define "hilum.ports" -}}
gateway: {serve: [8080], watch: [9100]}
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

{{/* (list $ "postgresql" "maintenance"): where a target stands for a component, as {to, ports} in JSON. */}}
{{- define "hilum.target" -}}
{{- $root := index . 0 -}}
{{- $target := index . 1 -}}
{{- $outside := dict "postgresql" "postgresql" "redis" "redis" "minio" "objectStore" "backup" "backup" "models" "objectStore" -}}
{{- $mode := "bundled" -}}
{{- if eq $target "postgresql" -}}{{- $mode = $root.Values.postgresql.mode -}}{{- end -}}
{{- if eq $target "redis" -}}{{- $mode = $root.Values.redis.mode -}}{{- end -}}
{{- if eq $target "minio" -}}{{- $mode = $root.Values.objectStore.mode -}}{{- end -}}
{{- if has $target (list "backup" "models") -}}{{- $mode = "external" -}}{{- end -}}
{{- if eq $mode "external" -}}
{{- $place := index $root.Values.networkPolicy.external (index $outside $target) -}}
{{- $to := list -}}
{{- range $place.cidrs -}}{{- $to = append $to (dict "ipBlock" (dict "cidr" .)) -}}{{- end -}}
{{- $ports := list (int $place.port) -}}
{{- if and (eq $target "postgresql") (eq (index . 2) "maintenance") (include "hilum.databasePooled" $root) -}}{{- $ports = append $ports (int $place.directPort) | uniq -}}{{- end -}}
{{- dict "to" $to "ports" $ports | toJson -}}
{{- else if eq $mode "cloudnativepg" -}}
{{- dict "to" (list (dict "podSelector" (dict "matchLabels" (dict "cnpg.io/cluster" (include "hilum.cloudnativepgName" $root))))) "ports" (list 5432) | toJson -}}
{{- else -}}
{{- $labels := include "hilum.selectorLabels" (list $root $target) | fromYaml -}}
{{- $ports := index (include "hilum.ports" $root | fromYaml) $target -}}
{{- dict "to" (list (dict "podSelector" (dict "matchLabels" $labels))) "ports" $ports.serve | toJson -}}
{{- end -}}
{{- end }}

{{/*
(list "from" peers ports): an item of `ingress` or `egress` in JSON; ports are numbers. No peers is anybody: that is
meant for `networkPolicy.clients` alone, and validate.yaml refuses lists of other places that are empty.
*/}}
{{- define "hilum.rule" -}}
{{- $ports := list -}}
{{- range index . 2 -}}{{- $ports = append $ports (dict "port" (int .) "protocol" "TCP") -}}{{- end -}}
{{- $rule := dict "ports" $ports -}}
{{- with index . 1 -}}{{- $_ := set $rule (index $ 0) . -}}{{- end -}}
{{- toJson $rule -}}
{{- end }}

{{/* (list $ "gateway"): the whole policy of a component, from the table. */}}
{{- define "hilum.networkPolicy" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $peers := $root.Values.networkPolicy -}}
{{- $arrows := include "hilum.arrows" $root | fromYaml -}}
{{- $ports := default (dict "serve" list "watch" list) (index (include "hilum.ports" $root | fromYaml) $component) -}}
{{- $ingress := list -}}
{{- range $from := keys $arrows | sortAlpha -}}
{{- if has $component (index $arrows $from) -}}
{{- $selector := dict "podSelector" (dict "matchLabels" (include "hilum.selectorLabels" (list $root $from) | fromYaml)) -}}
{{- $ingress = append $ingress (include "hilum.rule" (list "from" (list $selector) $ports.serve) | fromJson) -}}
{{- end -}}
{{- end -}}
{{- if eq $component "gateway" -}}
{{- $ingress = append $ingress (include "hilum.rule" (list "from" $peers.clients $ports.serve) | fromJson) -}}
{{- end -}}
{{- if and $ports.watch $peers.prometheus -}}
{{- $ingress = append $ingress (include "hilum.rule" (list "from" $peers.prometheus $ports.watch) | fromJson) -}}
{{- end -}}
{{- if and (eq $component "postgresql") (include "hilum.kedaUsed" $root) $peers.keda -}}
{{- $ingress = append $ingress (include "hilum.rule" (list "from" $peers.keda $ports.serve) | fromJson) -}}
{{- end -}}
{{- $egress := list -}}
{{- range $target := index $arrows $component -}}
{{- $place := include "hilum.target" (list $root $target $component) | fromJson -}}
{{- $egress = append $egress (include "hilum.rule" (list "to" $place.to $place.ports) | fromJson) -}}
{{- end -}}
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
  {{- toYaml (dict "ingress" $ingress "egress" $egress) | nindent 2 }}
{{- end }}
