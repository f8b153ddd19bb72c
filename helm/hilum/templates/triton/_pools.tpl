{{/*
Pools of Triton: one Deployment for each kind of machine, all behind one headless Service, over whose
addresses the workers take turns.
*/}}

{{/* Takes $; JSON: name -> pool, of the pools that are on, with the defaults filled in. */}}
{{- define "hilum.tritonPools" -}}
{{- $pools := dict -}}
{{- range $name, $pool := .Values.triton.pools -}}
{{- $whole := mergeOverwrite (deepCopy $.Values.triton.defaults) (default dict $pool) -}}
{{- if $whole.enabled -}}
{{- $_ := set $pools $name $whole -}}
{{- end -}}
{{- end -}}
{{- toJson $pools -}}
{{- end }}

{{/* (list $ "l4"): name of a pool's objects. */}}
{{- define "hilum.poolName" -}}
{{- printf "%s-%s" (include "hilum.componentName" (list (index . 0) "triton")) (index . 1) -}}
{{- end }}

{{/* (list $ "l4"): labels that tell a pool's pods from all others. */}}
{{- define "hilum.poolSelectorLabels" -}}
{{ include "hilum.selectorLabels" (list (index . 0) "triton") }}
hilum.io/pool: {{ index . 1 }}
{{- end }}

{{/* Takes a pool: not empty where it has a GPU. */}}
{{- define "hilum.poolHasGpu" -}}
{{- if ne .target "cpu" -}}true{{- end -}}
{{- end }}

{{/*
(list resources pool): the resources of a container that has the pool's GPU. Extended resources go
into the limits, and their requests follow.
*/}}
{{- define "hilum.poolResources" -}}
{{- $resources := deepCopy (index . 0) -}}
{{- $pool := index . 1 -}}
{{- if include "hilum.poolHasGpu" $pool -}}
{{- $limits := default dict $resources.limits -}}
{{- $_ := set $limits $pool.gpu.resource (int $pool.gpu.count) -}}
{{- $_ := set $resources "limits" $limits -}}
{{- end -}}
{{- toYaml $resources -}}
{{- end }}

{{/* Takes $; the address at which a container asks the Triton of its own pod. */}}
{{- define "hilum.ownTritonUrl" -}}
{{- printf "triton://127.0.0.1:8001?secure=%s" (default "false" (include "hilum.tlsEnabled" .)) -}}
{{- end }}
