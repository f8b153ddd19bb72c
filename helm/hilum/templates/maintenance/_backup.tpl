{{/* Takes $; the init container that leaves a dump of the database in /backup. */}}
{{- define "hilum.dumpInit" -}}
- name: dump
  image: {{ include "hilum.image" (list . .Values.images.postgresql) }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  command:
    - sh
    - -euc
    - |
      {{- if eq .Values.postgresql.mode "external" }}
      # libpq does not know the name of the driver that the address of the application carries.
      exec pg_dump --format=custom --no-owner --file=/backup/database.dump \
        --dbname="postgresql${HILUM_DATABASE_URL#postgresql+psycopg2}"
      {{- else }}
      exec pg_dump --format=custom --no-owner --file=/backup/database.dump
      {{- end }}
  {{- include "hilum.containerSecurity" . | nindent 2 }}
  env:
    {{- include "hilum.postgresqlEnvironment" . | nindent 4 }}
  resources:
    {{- toYaml .Values.maintenance.resources | nindent 4 }}
  volumeMounts:
    - name: backup
      mountPath: /backup
    {{- include "hilum.tmpVolumeMount" . | nindent 4 }}
    {{- with include "hilum.caVolumeMount" . }}
    {{- . | nindent 4 }}
    {{- end }}
{{- end }}

{{/* Takes $; items of volumes: room for the dump, and the claim that backups go to, if they go to one. */}}
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
{{- with $backup.to.existingClaim }}
- name: target
  persistentVolumeClaim:
    claimName: {{ . }}
{{- end }}
{{- end }}
