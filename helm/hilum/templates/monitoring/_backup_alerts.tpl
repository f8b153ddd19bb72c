{{/*
The alert about backups, as an item of `groups`, with this release's CronJob. A CronJob that never succeeded has no
time of its last success: its own age counts. Takes $.
*/}}
{{- define "hilum.backupAlerts" -}}
{{- $backup := .Values.maintenance.backup -}}
{{- $cronJob := printf `{namespace="%s",cronjob="%s"}` .Release.Namespace (include "hilum.componentName" (list . "backup")) -}}
# From kube-state-metrics; where it is not there, this never fires.
- name: hilum.backup
  rules:
    - alert: HilumBackupIsOld
      expr: |
        time() - (
          max by (namespace, cronjob) (kube_cronjob_status_last_successful_time{{ $cronJob }})
          or max by (namespace, cronjob) (kube_cronjob_created{{ $cronJob }})
        ) > {{ $backup.alertAfterHours }} * 3600
        unless on (namespace, cronjob) kube_cronjob_spec_suspend{{ $cronJob }} == 1
      for: 30m
      labels: {severity: critical}
      annotations:
        summary: There is no good backup of the last {{ $backup.alertAfterHours }} hours
        description: "{{ `{{ $labels.cronjob }}: {{ $value | humanizeDuration }}` }} since the last one, or since the CronJob was made. Read the log of its last Job."
{{- end }}
