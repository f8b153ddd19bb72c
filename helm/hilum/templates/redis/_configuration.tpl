{{/* What the server is told. Pods are replaced when it changes. Takes $. */}}
{{- define "hilum.redisConfiguration" -}}
bind * -::*
protected-mode yes
{{- if include "hilum.tlsEnabled" . }}
port 0
tls-port 6379
tls-cert-file /etc/hilum/tls/tls.crt
tls-key-file /etc/hilum/tls/tls.key
tls-protocols "TLSv1.2 TLSv1.3"
# Clients prove themselves by the password.
tls-auth-clients no
{{- else }}
port 6379
{{- end }}
dir /data
appendonly yes
appendfsync everysec
save ""
maxmemory {{ .Values.redis.bundled.maxMemory }}
# A broker that evicts loses messages.
maxmemory-policy noeviction
daemonize no
{{- end }}
