{{/*
The authorities that a pod believes lie in one file, /etc/hilum/ca/ca.crt: the one of the release's own
certificates, and, where tls.extraCa says so, those of services outside the release. One is mounted as
it is; several are put together by an init container, since a volume cannot join files.
*/}}

{{/* Secret with ca.crt of the release's own certificates; empty where TLS is off. Takes $. */}}
{{- define "hilum.caSecretName" -}}
{{- $tls := .Values.tls -}}
{{- if eq $tls.mode "existing" -}}
{{- required "tls.mode is existing: tls.existing.ca must name the Secret with ca.crt" $tls.existing.ca -}}
{{- else if and (eq $tls.mode "certManager") $tls.certManager.issuerRef.name -}}
{{- default (include "hilum.tlsSecretName" (list . "gateway")) $tls.certManager.caSecret -}}
{{- else if include "hilum.tlsEnabled" . -}}
{{- printf "%s-ca" (include "hilum.fullname" .) -}}
{{- end -}}
{{- end }}

{{/* Not empty where a pod believes anybody else than its system's authorities. Takes $. */}}
{{- define "hilum.caMounted" -}}
{{- if or (include "hilum.tlsEnabled" .) (include "hilum.caJoined" .) (eq .Values.postgresql.mode "cloudnativepg") -}}true{{- end -}}
{{- end }}

{{/* Not empty where several files have to be put together. Takes $. */}}
{{- define "hilum.caJoined" -}}
{{- with .Values.tls.extraCa -}}
{{- if or .configMap .secret .system -}}true{{- end -}}
{{- end -}}
{{- end }}

{{/* Files of a projected volume: own.crt or ca.crt, extra.crt, database.crt. Takes (list $ "own.crt"). */}}
{{- define "hilum.caSources" -}}
{{- $root := index . 0 -}}
{{- $extra := $root.Values.tls.extraCa -}}
{{- with include "hilum.caSecretName" $root }}
- secret:
    name: {{ . }}
    items: [{key: ca.crt, path: {{ index $ 1 }}}]
{{- end }}
{{- with $extra.configMap }}
- configMap:
    name: {{ . }}
    items: [{key: {{ $extra.key }}, path: extra-1.crt}]
{{- end }}
{{- with $extra.secret }}
- secret:
    name: {{ . }}
    items: [{key: {{ $extra.key }}, path: extra-2.crt}]
{{- end }}
{{- if eq $root.Values.postgresql.mode "cloudnativepg" }}
- secret:
    name: {{ include "hilum.cloudnativepgName" $root }}-ca
    items: [{key: ca.crt, path: database.crt}]
{{- end }}
{{- end }}

{{/* Items of volumes. Takes $. */}}
{{- define "hilum.caVolume" -}}
{{- if include "hilum.caJoined" . -}}
- name: ca
  emptyDir:
    sizeLimit: 4Mi
- name: ca-sources
  projected:
    defaultMode: 0444
    sources:
      {{- include "hilum.caSources" (list . "own.crt") | trim | nindent 6 }}
{{- else if include "hilum.caMounted" . -}}
- name: ca
  projected:
    defaultMode: 0444
    sources:
      {{- include "hilum.caSources" (list . "ca.crt") | trim | nindent 6 }}
{{- end -}}
{{- end }}

{{/* Items of volumeMounts. Takes $. */}}
{{- define "hilum.caVolumeMount" -}}
{{- if include "hilum.caMounted" . -}}
- name: ca
  mountPath: /etc/hilum/ca
  readOnly: true
{{- end -}}
{{- end }}

{{/*
(list $ .Values.images.gateway): items of initContainers, the first of them. Empty where one file is all.
The image is the pod's own; it needs sh and cat, and the system's authorities for tls.extraCa.system.
*/}}
{{- define "hilum.caInit" -}}
{{- $root := index . 0 -}}
{{- if include "hilum.caJoined" $root -}}
- name: ca
  image: {{ include "hilum.image" . }}
  imagePullPolicy: {{ $root.Values.image.pullPolicy }}
  command:
    - sh
    - -euc
    - |
      cd /sources
      for file in {{ if $root.Values.tls.extraCa.system }}/etc/ssl/certs/ca-certificates.crt {{ end }}*.crt; do
        if [ "$file" != database.crt ] && [ -e "$file" ]; then cat "$file"; echo; fi
      done > /joined/ca.crt
      if [ -e database.crt ]; then cat database.crt > /joined/database.crt; fi
  {{- include "hilum.containerSecurity" $root | nindent 2 }}
  resources:
    requests: {cpu: 10m, memory: 16Mi}
    limits: {cpu: 100m, memory: 32Mi}
  volumeMounts:
    - name: ca-sources
      mountPath: /sources
      readOnly: true
    - name: ca
      mountPath: /joined
{{- end -}}
{{- end }}

{{/* Items of env: where libraries look for authorities. gRPC (Triton) has a variable of its own. Takes $. */}}
{{- define "hilum.caEnvironment" -}}
{{- if or (include "hilum.tlsEnabled" .) (include "hilum.caJoined" .) -}}
- name: SSL_CERT_FILE
  value: /etc/hilum/ca/ca.crt
- name: GRPC_DEFAULT_SSL_ROOTS_FILE_PATH
  value: /etc/hilum/ca/ca.crt
{{- end -}}
{{- end }}
