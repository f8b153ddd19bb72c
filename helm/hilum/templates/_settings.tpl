{{/*
A dict of settings as environment variables: maxFileBytes becomes HILUM_IMAGE_MAX_BYTES; null is left out.
A name that is not in the table is written as it is: logLevel becomes HILUM_LOG_LEVEL.
Large numbers come out of YAML as floats and would be written as 5.36e+08.
*/}}
{{- define "hilum.settings" -}}
{{- $names := dict
  "host" "HTTP_HOST" "secureCookies" "SESSION_SECURE_COOKIES" "trustedProxies" "HTTP_TRUSTED_PROXIES"
  "maxFileBytes" "IMAGE_MAX_BYTES" "maxPixels" "IMAGE_MAX_PIXELS" "maxCompressionRatio" "IMAGE_MAX_COMPRESSION_RATIO"
  "maxRequestBytes" "UPLOAD_MAX_BYTES" "maxFiles" "UPLOAD_MAX_FILES" "uploadStallS" "UPLOAD_STALL_SECONDS"
  "uploadThreads" "UPLOAD_MAX_THREADS" "uploadThreadsPerKey" "UPLOAD_MAX_THREADS_PER_KEY"
  "uploadThreadsPerAddress" "UPLOAD_MAX_THREADS_PER_ADDRESS" "uploadMinBytesPerS" "UPLOAD_MIN_BYTES_PER_SECOND"
  "requestThreads" "HTTP_MAX_THREADS" "maxConnections" "HTTP_MAX_CONNECTIONS"
  "maxConnectionsPerAddress" "HTTP_MAX_CONNECTIONS_PER_ADDRESS" "headerTimeoutS" "HTTP_HEADER_TIMEOUT_SECONDS"
  "shutdownGraceS" "HTTP_SHUTDOWN_GRACE_SECONDS" "eventsPollS" "EVENTS_POLL_SECONDS"
  "leaseSeconds" "QUEUE_LEASE_SECONDS" "maxRunSeconds" "QUEUE_MAX_RUN_SECONDS" "maxLosses" "QUEUE_MAX_LOSSES"
  "reconcileSeconds" "QUEUE_RECONCILE_SECONDS" "maxAttempts" "QUEUE_MAX_ATTEMPTS"
}}
{{- range $name, $value := . }}
{{- if not (kindIs "invalid" $value) }}
{{- $whole := and (kindIs "float64" $value) (eq (floor $value) (float64 $value)) }}
- name: HILUM_{{ get $names $name | default (snakecase $name | upper) }}
  value: {{ ternary (int64 $value | toString) (toString $value) $whole | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* Takes $; the address that pods of this release call the gateway by. */}}
{{- define "hilum.gatewayUrl" -}}
{{- printf "%s://%s:8080" (ternary "https" "http" (eq (include "hilum.tlsEnabled" .) "true")) (include "hilum.componentName" (list . "gateway")) -}}
{{- end }}

{{/*
Seconds between the decision to stop a pod and SIGTERM: (list $ 10). The kubelet sleeps itself from 1.30 on;
before that Python does, the one program that each of Hilum's images has.
*/}}
{{- define "hilum.preStop" -}}
preStop:
  {{- if semverCompare ">=1.30.0-0" (index . 0).Capabilities.KubeVersion.Version }}
  sleep:
    seconds: {{ index . 1 }}
  {{- else }}
  exec:
    command: [python, -c, {{ printf "import time; time.sleep(%d)" (int (index . 1)) | quote }}]
  {{- end }}
{{- end }}

{{/*
Annotations of pods that use the credentials and believe the authorities: they change, and the pods roll,
with passwords and an authority that the chart makes, and with the names of those that it does not. The
gateway's own certificate is none of them: it is read again by itself. Takes $.
*/}}
{{- define "hilum.podAnnotations" -}}
{{- $authority := "" -}}
{{- if eq .Values.tls.mode "generated" -}}
{{- include "hilum.issueCertificates" . -}}
{{- $authority = .Values.tls.issued.ca.Cert | trim -}}
{{- end -}}
hilum.io/credentials: {{ include "hilum.credentialChecksum" (concat (list .) (include "hilum.credentialKeys" . | fromJsonArray)) | quote }}
hilum.io/authorities: {{ list $authority (include "hilum.caSecretName" .) .Values.tls.extraCa | toJson | sha256sum | trunc 16 | quote }}
{{- end }}
