{{/* Takes $; JSON list of the keys that the Secret with passwords and addresses must have here. */}}
{{- define "hilum.credentialKeys" -}}
{{- $keys := list "session-secret" -}}
{{- if eq .Values.postgresql.mode "bundled" -}}{{- $keys = append $keys "database-password" -}}{{- end -}}
{{- if eq .Values.postgresql.mode "external" -}}{{- $keys = append $keys "database-url" -}}{{- end -}}
{{- if include "hilum.databasePooled" . -}}{{- $keys = append $keys "database-direct-url" -}}{{- end -}}
{{- if eq .Values.objectStore.mode "bundled" -}}
{{- $keys = concat $keys (list "object-store-access-key" "object-store-secret-key") -}}
{{- else -}}
{{- $keys = append $keys "object-store-url" -}}
{{- end -}}
{{- $keys = append $keys (ternary "broker-password" "broker-url" (eq .Values.redis.mode "bundled")) -}}
{{- if and (eq .Values.models.source "s3") (not .Values.models.s3.bucket) -}}{{- $keys = append $keys "models-url" -}}{{- end -}}
{{- toJson $keys -}}
{{- end }}

{{/*
Makes the Secret's content once in a rendering: what the values give, else what lies in the cluster, else
at random. Takes $; renders nothing. Letters and digits only, since passwords go into URLs as they are.
*/}}
{{- define "hilum.issueCredentials" -}}
{{- if not (hasKey .Values.secrets "issued") -}}
{{- $given := .Values.secrets.values -}}
{{- $found := dict -}}
{{- with lookup "v1" "Secret" .Release.Namespace (include "hilum.credentialsSecretName" .) -}}
{{- $found = default dict .data -}}
{{- end -}}
{{- $issued := dict -}}
{{- range include "hilum.credentialKeys" . | fromJsonArray -}}
{{- if index $given . -}}
{{- $_ := set $issued . (index $given . | b64enc) -}}
{{- else if index $found . -}}
{{- $_ := set $issued . (index $found .) -}}
{{- else if hasSuffix "-url" . -}}
{{- fail (printf "the Secret needs the key %s, the whole address of a service outside the release: name a Secret that has it in secrets.existingSecret, fetch it with secrets.externalSecrets, or give it in secrets.values" .) -}}
{{- else -}}
{{- $_ := set $issued . (randAlphaNum (ternary 20 40 (eq . "object-store-access-key")) | b64enc) -}}
{{- end -}}
{{- end -}}
{{- /* Keys that this release does not need stay: another one of its modes may have left data behind them. */ -}}
{{- range $key, $value := $found -}}
{{- if not (hasKey $issued $key) -}}{{- $_ := set $issued $key $value -}}{{- end -}}
{{- end -}}
{{- range $key, $value := $given -}}
{{- if and $value (not (hasKey $issued $key)) -}}{{- $_ := set $issued $key ($value | b64enc) -}}{{- end -}}
{{- end -}}
{{- $_ := set .Values.secrets "issued" $issued -}}
{{- end -}}
{{- end }}

{{/*
(list $ "broker-password"): changes with a password that the chart made, so that the server which reads it
at its start does so. Constant for Secrets of others.
*/}}
{{- define "hilum.credentialChecksum" -}}
{{- $root := index . 0 -}}
{{- if and $root.Values.secrets.create (not $root.Values.secrets.existingSecret) (not $root.Values.secrets.externalSecrets.enabled) -}}
{{- include "hilum.issueCredentials" $root -}}
{{- $values := list -}}
{{- range rest . -}}{{- $values = append $values (index $root.Values.secrets.issued .) -}}{{- end -}}
{{- join "," $values | sha256sum | trunc 16 -}}
{{- else -}}
{{- include "hilum.credentialsSecretName" $root -}}
{{- end -}}
{{- end }}
