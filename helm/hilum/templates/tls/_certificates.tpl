{{/*
Certificates of the release: which component has one, for which names, and, where Helm makes them
(tls.mode generated), the certificates themselves.
*/}}

{{/* Takes $; JSON: component -> its Service's name. Only what this release serves. */}}
{{- define "hilum.tlsComponents" -}}
{{- $services := dict "gateway" "gateway" -}}
{{- if include "hilum.tritonPools" . | fromJson -}}{{- $_ := set $services "triton" "triton" -}}{{- end -}}
{{- if eq .Values.redis.mode "bundled" -}}{{- $_ := set $services "redis" "redis" -}}{{- end -}}
{{- if eq .Values.postgresql.mode "bundled" -}}{{- $_ := set $services "postgresql" "postgresql" -}}{{- end -}}
{{- if eq .Values.objectStore.mode "bundled" -}}{{- $_ := set $services "objectStore" "minio" -}}{{- end -}}
{{- toJson $services -}}
{{- end }}

{{/*
(list $ "gateway" "gateway"), component and Service: a JSON list of DNS names. Within the pod it is
localhost and 127.0.0.1: the golden film's probe asks Triton there.
*/}}
{{- define "hilum.tlsNames" -}}
{{- $root := index . 0 -}}
{{- $service := include "hilum.componentName" (list $root (index . 2)) -}}
{{- $namespace := $root.Release.Namespace -}}
{{- $names := list $service (printf "%s.%s" $service $namespace) (printf "%s.%s.svc" $service $namespace) (printf "%s.%s.svc.%s" $service $namespace $root.Values.tls.clusterDomain) "localhost" -}}
{{- if eq (index . 1) "gateway" -}}
{{- $names = concat $names $root.Values.tls.gatewayNames -}}
{{- end -}}
{{- toJson $names -}}
{{- end }}

{{/*
Makes the generated certificates once in a rendering and keeps them beside the values, so that all
templates see the same ones. What lies in the cluster is taken again; a certificate is made anew when
its names change, its authority changes, or its end comes near. Takes $; renders nothing.
*/}}
{{- define "hilum.issueCertificates" -}}
{{- if not (hasKey .Values.tls "issued") -}}
{{- $root := . -}}
{{- $settings := .Values.tls.generated -}}
{{- $now := now | unixEpoch | int64 -}}
{{- $ca := dict -}}
{{- with lookup "v1" "Secret" .Release.Namespace (include "hilum.caSecretName" .) -}}
{{- $ca = buildCustomCert (index .data "tls.crt") (index .data "tls.key") -}}
{{- else -}}
{{- $ca = genCAWithKey (printf "%s authority" (include "hilum.fullname" $root)) (int $settings.caDays) (genPrivateKey "ecdsa") -}}
{{- end -}}
{{- $issued := dict "ca" $ca "leaves" dict -}}
{{- range $component, $service := include "hilum.tlsComponents" . | fromJson -}}
{{- $names := include "hilum.tlsNames" (list $root $component $service) | fromJsonArray -}}
{{- $stamp := printf "%s|%s" (join "," $names) ($ca.Cert | trim) | sha256sum -}}
{{- $leaf := dict -}}
{{- with lookup "v1" "Secret" $root.Release.Namespace (include "hilum.tlsSecretName" (list $root $component)) -}}
{{- $annotations := default dict .metadata.annotations -}}
{{- if and (eq (default "" (index $annotations "hilum.io/certificate")) $stamp) (gt (int64 (default "0" (index $annotations "hilum.io/renew-after"))) $now) -}}
{{- $leaf = dict "Cert" (index .data "tls.crt" | b64dec) "Key" (index .data "tls.key" | b64dec) "renew" (index $annotations "hilum.io/renew-after") -}}
{{- end -}}
{{- end -}}
{{- if not $leaf -}}
{{- $made := genSignedCertWithKey (first $names) (list "127.0.0.1") $names (int $settings.days) $ca (genPrivateKey "ecdsa") -}}
{{- $leaf = dict "Cert" $made.Cert "Key" $made.Key "renew" (toString (add $now (mul 86400 (sub (int $settings.days) (int $settings.renewBeforeDays))))) -}}
{{- end -}}
{{- $_ := set $issued.leaves $component (merge $leaf (dict "stamp" $stamp)) -}}
{{- end -}}
{{- $_ := set .Values.tls "issued" $issued -}}
{{- end -}}
{{- end }}

{{/* (list $ "triton"): changes with a generated certificate, so that the pods which only read it at their start do so. */}}
{{- define "hilum.tlsChecksum" -}}
{{- $root := index . 0 -}}
{{- if eq $root.Values.tls.mode "generated" -}}
{{- include "hilum.issueCertificates" $root -}}
{{- (index $root.Values.tls.issued.leaves (index . 1)).Cert | trim | sha256sum | trunc 16 -}}
{{- else -}}
{{- include "hilum.tlsSecretName" . -}}
{{- end -}}
{{- end }}

{{/* (list $ "redis"): items of volumes, or nothing. The group may read the key: PostgreSQL insists that nobody else does. */}}
{{- define "hilum.tlsVolume" -}}
{{- if include "hilum.tlsEnabled" (index . 0) -}}
- name: tls
  secret:
    secretName: {{ include "hilum.tlsSecretName" . }}
    defaultMode: 0440
    items:
      - {key: tls.crt, path: tls.crt}
      - {key: tls.key, path: tls.key}
{{- end -}}
{{- end }}

{{/* Items of volumeMounts, or nothing. Takes $. */}}
{{- define "hilum.tlsVolumeMount" -}}
{{- if include "hilum.tlsEnabled" . -}}
- name: tls
  mountPath: /etc/hilum/tls
  readOnly: true
{{- end -}}
{{- end }}
