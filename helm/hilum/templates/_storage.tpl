{{/*
Data of a StatefulSet. Its claims are Kubernetes' own and outlive the StatefulSet and the release:
who removes Hilum for good deletes them by hand.
*/}}

{{/* (list $ "redis" storage): the keys of a StatefulSet's spec, or nothing where data goes with the pod. */}}
{{- define "hilum.dataClaims" -}}
{{- $storage := index . 2 -}}
{{- if $storage.persistent -}}
persistentVolumeClaimRetentionPolicy:
  whenDeleted: Retain
  whenScaled: Retain
volumeClaimTemplates:
  - apiVersion: v1
    kind: PersistentVolumeClaim
    metadata:
      name: data
      labels:
        {{- include "hilum.selectorLabels" (list (index . 0) (index . 1)) | nindent 8 }}
    spec:
      accessModes: [ReadWriteOnce]
      {{- with $storage.storageClassName }}
      storageClassName: {{ . }}
      {{- end }}
      resources:
        requests:
          storage: {{ $storage.size }}
{{- end -}}
{{- end }}

{{/* Takes the storage: an item of volumes where data goes with the pod, or nothing. */}}
{{- define "hilum.dataVolume" -}}
{{- if not .persistent -}}
- name: data
  emptyDir:
    sizeLimit: {{ .size }}
{{- end -}}
{{- end }}
