{{/*
(list $ .Values.gateway "gateway"): where the pods of a component go, with the keys of a pod. The values
may have nodeSelector, tolerations, affinity, topologySpreadConstraints (instead of the chart's own),
priorityClassName (instead of the chart's own) and priority (critical, standard or background).
What runs once, or alone, spreads over nothing. A fourth element holds further labels that tell these pods from others of the component, as a dict.
*/}}
{{- define "hilum.scheduling" -}}
{{- $root := index . 0 -}}
{{- $values := index . 1 -}}
{{- $component := index . 2 -}}
{{- $more := dict -}}
{{- if gt (len .) 3 -}}{{- $more = index . 3 -}}{{- end -}}
{{- $lines := list -}}
{{- with include "hilum.priorityClassName" (list $root $values $component) -}}
{{- $lines = append $lines (printf "priorityClassName: %s" .) -}}
{{- end -}}
{{- range $key := list "nodeSelector" "tolerations" "affinity" -}}
{{- with index $values $key -}}
{{- $lines = append $lines (toYaml (dict $key .)) -}}
{{- end -}}
{{- end -}}
{{- if $values.topologySpreadConstraints -}}
{{- $lines = append $lines (toYaml (dict "topologySpreadConstraints" $values.topologySpreadConstraints)) -}}
{{- else -}}
{{- if not (has $component (list "toolbox" "migrations" "maintenance" "tests")) -}}
{{- with include "hilum.topologySpread" (list $root $component $more) -}}
{{- $lines = append $lines . -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- join "\n" $lines -}}
{{- end }}

{{/* (list $ "gateway" further-labels): pods of one component keep apart, by node and by zone. */}}
{{- define "hilum.topologySpread" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $labels := mergeOverwrite (include "hilum.selectorLabels" (list $root $component) | fromYaml) (index . 2) -}}
{{- $keys := list (list "kubernetes.io/hostname" $root.Values.platform.spread.nodes) (list "topology.kubernetes.io/zone" $root.Values.platform.spread.zones) -}}
{{- $constraints := list -}}
{{- range $keys -}}
{{- if ne (index . 1) "off" -}}
{{- $unsatisfiable := ternary "DoNotSchedule" "ScheduleAnyway" (eq (index . 1) "required") -}}
{{- $constraints = append $constraints (dict "maxSkew" 1 "topologyKey" (index . 0) "whenUnsatisfiable" $unsatisfiable "nodeTaintsPolicy" "Honor" "labelSelector" (dict "matchLabels" $labels) "matchLabelKeys" (list "pod-template-hash")) -}}
{{- end -}}
{{- end -}}
{{- if $constraints -}}
{{- toYaml (dict "topologySpreadConstraints" $constraints) -}}
{{- end -}}
{{- end }}

{{/* (list $ values "gateway"): Triton, urgent workers and the data stores first, maintenance last. */}}
{{- define "hilum.priorityClassName" -}}
{{- $root := index . 0 -}}
{{- $values := index . 1 -}}
{{- $component := index . 2 -}}
{{- if $values.priorityClassName -}}
{{- $values.priorityClassName -}}
{{- else if $root.Values.priorityClasses.create -}}
{{- $default := "standard" -}}
{{- if has $component (list "triton" "redis" "postgresql" "minio") -}}{{- $default = "critical" -}}{{- end -}}
{{- if has $component (list "toolbox" "maintenance" "tests") -}}{{- $default = "background" -}}{{- end -}}
{{- printf "%s-%s-%s" $root.Release.Namespace (include "hilum.fullname" $root) (default $default $values.priority) -}}
{{- end -}}
{{- end }}
