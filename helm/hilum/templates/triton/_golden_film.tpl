{{/*
(list $ pool): the known-answer test beside Triton, an item of initContainers: a container that starts
before Triton and ends after it. It has no startup probe, since Kubernetes would wait for that before
it starts Triton. Its readiness is the pod's, too: a pod whose answers are wrong gets no work.
*/}}
{{- define "hilum.goldenFilm" -}}
{{- $root := index . 0 -}}
- name: golden-film
  restartPolicy: Always
  image: {{ include "hilum.image" (list $root $root.Values.images.tritonProbe) }}
  imagePullPolicy: {{ $root.Values.image.pullPolicy }}
  command: [hilum-triton-probe]
  args:
    - --triton={{ include "hilum.ownTritonUrl" $root }}
    - --models=/models
    - --port=8010
    {{- if eq (index . 1).target "gpu-tensorrt" }}
    - --build-metrics=/models/hilum_engine.prom
    {{- end }}
    - --every={{ $root.Values.triton.goldenFilm.everySeconds }}
  {{- with include "hilum.caEnvironment" $root }}
  env:
    {{- . | nindent 4 }}
  {{- end }}
  ports:
    - {name: golden-film, containerPort: 8010}
  livenessProbe:
    tcpSocket: {port: golden-film}
    initialDelaySeconds: 30
    periodSeconds: 15
    failureThreshold: 4
  readinessProbe:
    httpGet: {path: /ready, port: golden-film}
    periodSeconds: 5
    timeoutSeconds: 5
    failureThreshold: 1
  {{- include "hilum.containerSecurity" $root | nindent 2 }}
  resources:
    {{- toYaml $root.Values.triton.goldenFilm.resources | nindent 4 }}
  volumeMounts:
    {{- include "hilum.modelsVolumeMount" $root | nindent 4 }}
    {{- include "hilum.tmpVolumeMount" $root | nindent 4 }}
    {{- with include "hilum.caVolumeMount" $root }}
    {{- . | nindent 4 }}
    {{- end }}
{{- end }}
