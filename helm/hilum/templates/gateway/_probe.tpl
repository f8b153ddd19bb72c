{{/* (list $ "/healthz"): the handler of a probe; the kubelet does not check certificates. */}}
{{- define "hilum.gatewayProbe" -}}
httpGet:
  path: {{ index . 1 }}
  port: 8080
  scheme: {{ ternary "HTTPS" "HTTP" (eq (include "hilum.tlsEnabled" (index . 0)) "true") }}
{{- end }}
