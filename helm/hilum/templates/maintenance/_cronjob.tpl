{{/*
A CronJob of one command: (dict "root" $ "name" "retention" "schedule" "17 2 * * *" "pod" text-of-pod-spec);
"deadline" in seconds is optional.
*/}}
{{- define "hilum.cronJob" -}}
apiVersion: batch/v1
kind: CronJob
metadata:
  name: {{ include "hilum.componentName" (list .root .name) }}
  labels:
    {{- include "hilum.labels" (list .root "maintenance") | nindent 4 }}
spec:
  schedule: {{ .schedule | quote }}
  timeZone: {{ .root.Values.maintenance.timeZone }}
  concurrencyPolicy: Forbid
  suspend: {{ .root.Values.maintenance.restore.enabled }}
  # A run that was missed (the cluster was down) is made up for within half an hour, else skipped.
  startingDeadlineSeconds: 1800
  successfulJobsHistoryLimit: 1
  failedJobsHistoryLimit: 3
  jobTemplate:
    spec:
      backoffLimit: 3
      activeDeadlineSeconds: {{ default 3600 .deadline | int }}
      template:
        metadata:
          labels:
            {{- include "hilum.podLabels" (list .root "maintenance") | nindent 12 }}
            hilum.io/task: {{ .name }}
        spec:
          restartPolicy: Never
          {{- .pod | nindent 10 }}
{{- end }}
