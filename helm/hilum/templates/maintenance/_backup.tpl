{{/* Not empty where a store for backups is named. Takes $. */}}
{{- define "hilum.backupStore" -}}
{{- with .Values.maintenance.backup.to -}}
{{- if or .existingSecret .existingClaim -}}true{{- end -}}
{{- end -}}
{{- end }}

{{/* Items of env, volumes and volumeMounts that lead to that store; each may be empty. Takes $. */}}
{{- define "hilum.backupStoreEnvironment" -}}
{{- with .Values.maintenance.backup.to -}}
{{- if .existingClaim -}}
- name: HILUM_BACKUP_STORE_URL
  value: file:///backup-store
{{- else if .existingSecret -}}
- name: HILUM_BACKUP_STORE_URL
  valueFrom:
    secretKeyRef:
      name: {{ .existingSecret }}
      key: {{ .key }}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "hilum.backupStoreVolume" -}}
{{- with .Values.maintenance.backup.to.existingClaim -}}
- name: backup-store
  persistentVolumeClaim:
    claimName: {{ . }}
{{- end -}}
{{- end }}

{{- define "hilum.backupStoreVolumeMount" -}}
{{- if .Values.maintenance.backup.to.existingClaim -}}
- name: backup-store
  mountPath: /backup-store
{{- end -}}
{{- end }}

{{/* Items of volumes: room for a dump, and the store. Takes $. */}}
{{- define "hilum.backupVolumes" -}}
{{- $backup := .Values.maintenance.backup -}}
- name: backup
  {{- if $backup.dumpStorageClassName }}
  ephemeral:
    volumeClaimTemplate:
      spec:
        accessModes: [ReadWriteOnce]
        storageClassName: {{ $backup.dumpStorageClassName }}
        resources:
          requests:
            storage: {{ $backup.dumpSize }}
  {{- else }}
  emptyDir:
    sizeLimit: {{ $backup.dumpSize }}
  {{- end }}
{{- with include "hilum.backupStoreVolume" . }}
{{ . }}
{{- end }}
{{- end }}

{{/* Items of volumeMounts. Takes $. */}}
{{- define "hilum.backupVolumeMounts" -}}
- name: backup
  mountPath: /backup
{{- with include "hilum.backupStoreVolumeMount" . }}
{{ . }}
{{- end }}
{{- end }}

{{/* (list $ "dump" script): an init container with PostgreSQL's own programs and /backup. */}}
{{- define "hilum.postgresqlProgram" -}}
{{- $root := index . 0 -}}
- name: {{ index . 1 }}
  image: {{ include "hilum.image" (list $root $root.Values.images.postgresql) }}
  imagePullPolicy: {{ $root.Values.image.pullPolicy }}
  command:
    - sh
    - -euc
    - |
      {{- index . 2 | nindent 6 }}
  {{- include "hilum.containerSecurity" $root | nindent 2 }}
  env:
    {{- include "hilum.postgresqlEnvironment" $root | nindent 4 }}
  resources:
    {{- toYaml $root.Values.maintenance.resources | nindent 4 }}
  volumeMounts:
    - name: backup
      mountPath: /backup
    {{- include "hilum.tmpVolumeMount" $root | nindent 4 }}
    {{- with include "hilum.caVolumeMount" $root }}
    {{- . | nindent 4 }}
    {{- end }}
{{- end }}

{{/* (dict "root" $ "name" "script" "arguments" (list ...)): an init container with `hilum` and /backup. */}}
{{- define "hilum.backupCommand" -}}
- name: {{ .name }}
  {{- include "hilum.commandContainer" (merge (dict "component" "maintenance" "values" .root.Values.maintenance "environment" (include "hilum.backupStoreEnvironment" .root) "volumeMounts" (include "hilum.backupVolumeMounts" .root)) .) | nindent 2 }}
{{- end }}
