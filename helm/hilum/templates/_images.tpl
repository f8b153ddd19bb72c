{{/*
(list $ .Values.images.gateway): the reference of an image. One registry for all of them (a mirror)
goes before the image's own; a digest goes before the tag; an empty tag is the chart's appVersion.
*/}}
{{- define "hilum.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- $registry := default $image.registry $root.Values.image.registry -}}
{{- $name := ternary (printf "%s/%s" (trimSuffix "/" $registry) $image.repository) $image.repository (ne $registry "") -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $name $image.digest -}}
{{- else -}}
{{- $tag := default $root.Chart.AppVersion $image.tag -}}
{{- if eq $tag "latest" -}}
{{- fail (printf "images: the tag of %s is latest, which names another image every week; give a version or a digest" $image.repository) -}}
{{- end -}}
{{- printf "%s:%s" $name $tag -}}
{{- end -}}
{{- end }}

{{/* Takes $; the pod's imagePullSecrets, or nothing. */}}
{{- define "hilum.pullSecrets" -}}
{{- with .Values.image.pullSecrets -}}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end }}
