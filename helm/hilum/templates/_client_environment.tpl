{{/*
Addresses of what the processes of Hilum talk to. Passwords come from a Secret into variables of their
own, and Kubernetes puts them into the addresses; so no password stands in an object that is no Secret.
A password may therefore hold only characters that need no escape in a URL. Whole addresses of services
outside the release are keys of the same Secret.
*/}}

{{/* Name of the Secret with passwords and addresses. Takes $. */}}
{{- define "hilum.credentialsSecretName" -}}
{{- default (printf "%s-credentials" (include "hilum.fullname" .)) .Values.secrets.existingSecret -}}
{{- end }}

{{/* (list $ "HILUM_BROKER_URL" "broker-url"): one item of env that comes from that Secret. */}}
{{- define "hilum.fromCredentials" -}}
- name: {{ index . 1 }}
  valueFrom:
    secretKeyRef:
      name: {{ include "hilum.credentialsSecretName" (index . 0) }}
      key: {{ index . 2 }}
{{- end }}

{{/* (list $ "gateway"), "worker" or "cli": items of env. */}}
{{- define "hilum.clientEnvironment" -}}
{{- $root := index . 0 -}}
{{ include "hilum.databaseEnvironment" $root }}
{{ include "hilum.objectStoreEnvironment" $root }}
{{- if ne (index . 1) "cli" }}
{{ include "hilum.brokerEnvironment" $root }}
{{- end }}
{{- if ne (index . 1) "gateway" }}
- name: HILUM_INFERENCE_URL
  value: {{ include "hilum.inferenceUrl" $root | quote }}
{{- end }}
{{- with include "hilum.caEnvironment" $root }}
{{ . }}
{{- end }}
{{- end }}

{{/* Items of env. Takes $. */}}
{{- define "hilum.databaseEnvironment" -}}
{{- if eq .Values.postgresql.mode "external" -}}
{{ include "hilum.fromCredentials" (list . "HILUM_DATABASE_URL" "database-url") }}
{{- else -}}
{{ include "hilum.databasePassword" (list . "HILUM_DATABASE_PASSWORD") }}
- name: HILUM_DATABASE_URL
  value: {{ printf "postgresql://hilum:$(HILUM_DATABASE_PASSWORD)@%s:5432/hilum%s" (include "hilum.databaseHost" .) (include "hilum.databaseTlsQuery" .) | quote }}
{{- end -}}
{{- end }}

{{/* (list $ "PGPASSWORD"): an item of env with the password of the role hilum. */}}
{{- define "hilum.databasePassword" -}}
{{- $root := index . 0 -}}
{{- if eq $root.Values.postgresql.mode "cloudnativepg" -}}
- name: {{ index . 1 }}
  valueFrom:
    secretKeyRef:
      name: {{ include "hilum.cloudnativepgName" $root }}-app
      key: password
{{- else -}}
{{ include "hilum.fromCredentials" (list $root (index . 1) "database-password") }}
{{- end -}}
{{- end }}

{{- define "hilum.cloudnativepgName" -}}
{{- include "hilum.componentName" (list . "postgresql") -}}
{{- end }}

{{- define "hilum.databaseHost" -}}
{{- ternary (printf "%s-rw" (include "hilum.cloudnativepgName" .)) (include "hilum.componentName" (list . "postgresql")) (eq .Values.postgresql.mode "cloudnativepg") -}}
{{- end }}

{{/* File with the authority of the database's certificate; empty where it has none. CloudNativePG has its own. */}}
{{- define "hilum.databaseCa" -}}
{{- if eq .Values.postgresql.mode "cloudnativepg" -}}
/etc/hilum/ca/database.crt
{{- else if include "hilum.tlsEnabled" . -}}
/etc/hilum/ca/ca.crt
{{- end -}}
{{- end }}

{{- define "hilum.databaseTlsQuery" -}}
{{- with include "hilum.databaseCa" . -}}
{{- printf "?sslmode=verify-full&sslrootcert=%s" . -}}
{{- end -}}
{{- end }}

{{/* Items of env for pg_dump, psql and pg_restore, which need PostgreSQL itself and no pooler. Takes $. */}}
{{- define "hilum.postgresqlEnvironment" -}}
{{- if include "hilum.databasePooled" . -}}
{{ include "hilum.fromCredentials" (list . "HILUM_DATABASE_URL" "database-direct-url") }}
{{- else -}}
{{ include "hilum.databaseEnvironment" . }}
{{- end -}}
{{- end }}

{{/* Not empty where the address of the database is a pooler's. Takes $. */}}
{{- define "hilum.databasePooled" -}}
{{- if and (eq .Values.postgresql.mode "external") .Values.postgresql.external.pooled -}}true{{- end -}}
{{- end }}

{{/* Items of env. Takes $. */}}
{{- define "hilum.objectStoreEnvironment" -}}
{{- if eq .Values.objectStore.mode "external" -}}
{{ include "hilum.fromCredentials" (list . "HILUM_OBJECT_STORE_URL" "object-store-url") }}
{{- else -}}
{{ include "hilum.fromCredentials" (list . "HILUM_OBJECT_STORE_ACCESS_KEY" "object-store-access-key") }}
{{ include "hilum.fromCredentials" (list . "HILUM_OBJECT_STORE_SECRET_KEY" "object-store-secret-key") }}
- name: HILUM_OBJECT_STORE_URL
  value: {{ include "hilum.bundledBucket" (list . .Values.objectStore.bundled.bucket) | quote }}
{{- end -}}
{{- end }}

{{/* (list $ "bucket/prefix"): address in the bundled object store; its keys are variables. */}}
{{- define "hilum.bundledBucket" -}}
{{- $root := index . 0 -}}
{{- printf "s3://$(HILUM_OBJECT_STORE_ACCESS_KEY):$(HILUM_OBJECT_STORE_SECRET_KEY)@%s:9000/%s?secure=%s" (include "hilum.componentName" (list $root "minio")) (index . 1) (default "false" (include "hilum.tlsEnabled" $root)) -}}
{{- end }}

{{/* Items of env. Takes $. */}}
{{- define "hilum.brokerEnvironment" -}}
{{- if eq .Values.redis.mode "external" -}}
{{ include "hilum.fromCredentials" (list . "HILUM_BROKER_URL" "broker-url") }}
{{- else -}}
{{ include "hilum.fromCredentials" (list . "HILUM_BROKER_PASSWORD" "broker-password") }}
- name: HILUM_BROKER_URL
  value: {{ printf "%s://:$(HILUM_BROKER_PASSWORD)@%s:6379/0" (ternary "rediss" "redis" (eq (include "hilum.tlsEnabled" .) "true")) (include "hilum.componentName" (list . "redis")) | quote }}
{{- end -}}
{{- end }}

{{/* All pools behind one name; validate.yaml refuses a release without one. Takes $. */}}
{{- define "hilum.inferenceUrl" -}}
{{- printf "triton://%s:8001?secure=%s&deadline=%v" (include "hilum.componentName" (list . "triton")) (default "false" (include "hilum.tlsEnabled" .)) .Values.triton.deadlineSeconds -}}
{{- end }}
