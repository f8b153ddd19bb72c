{{/* What the server is told. Pods are replaced when it changes. Takes $. */}}
{{- define "hilum.postgresqlConfiguration" -}}
listen_addresses = '*'
port = 5432
unix_socket_directories = '/tmp'
hba_file = '/etc/hilum/postgresql/pg_hba.conf'
password_encryption = scram-sha-256
timezone = 'UTC'
log_timezone = 'UTC'
log_destination = 'stderr'
log_line_prefix = '%m [%p] %u@%d '
{{- if include "hilum.tlsEnabled" . }}
ssl = on
ssl_cert_file = '/etc/hilum/tls/tls.crt'
ssl_key_file = '/etc/hilum/tls/tls.key'
ssl_min_protocol_version = 'TLSv1.2'
{{- end }}
{{- range $name, $value := .Values.postgresql.bundled.settings }}
{{- $text := ternary (printf "%.0f" $value) (toString $value) (and (kindIs "float64" $value) (eq (float64 $value) (floor (float64 $value)))) }}
{{ $name }} = '{{ $text | replace "'" "''" }}'
{{- end }}
{{- end }}

{{- define "hilum.postgresqlAccess" -}}
# The socket lies in the container's own /tmp.
local all all trust
{{ ternary "hostssl" "host" (eq (include "hilum.tlsEnabled" .) "true") }} hilum hilum all scram-sha-256
{{- end }}
