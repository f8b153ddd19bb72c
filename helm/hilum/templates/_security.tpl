{{/*
The lines of a pod that Pod Security "restricted" and the rest of the chart ask for, with their keys.
Takes $, or (list $ 999) where an image insists on a UID. On OpenShift the platform chooses UIDs.

enableServiceLinks is off because Kubernetes would else write HILUM_..._PORT variables of every
Service into the environment, where the processes look for settings.
*/}}
{{- define "hilum.podSecurity" -}}
{{- $root := . -}}
{{- $uid := 10001 -}}
{{- if kindIs "slice" . -}}
{{- $root = index . 0 -}}
{{- $uid = index . 1 -}}
{{- end -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  {{- if not $root.Values.platform.openshift }}
  runAsUser: {{ $uid }}
  runAsGroup: {{ $uid }}
  fsGroup: {{ $uid }}
  fsGroupChangePolicy: OnRootMismatch
  {{- end }}
  seccompProfile:
    type: RuntimeDefault
{{- end }}

{{/* The securityContext of every container, with its key. Takes $. */}}
{{- define "hilum.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  capabilities:
    drop: [ALL]
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  seccompProfile:
    type: RuntimeDefault
{{- end }}

{{/* The one writable place of a pod: (list $ "64Mi"), an item of volumes. */}}
{{- define "hilum.tmpVolume" -}}
- name: tmp
  emptyDir:
    sizeLimit: {{ index . 1 }}
{{- end }}

{{/* An item of volumeMounts. */}}
{{- define "hilum.tmpVolumeMount" -}}
- name: tmp
  mountPath: /tmp
{{- end }}
