{{/*
(list $ pool): the container of Triton. HTTP and metrics are plain: the kubelet and Prometheus alone
may come in there. The flags are those of NVIDIA's images and of the server of the Python wheel.
*/}}
{{- define "hilum.tritonServer" -}}
{{- $root := index . 0 -}}
{{- $pool := index . 1 -}}
{{- $gpu := include "hilum.poolHasGpu" $pool -}}
- name: triton
  image: {{ include "hilum.image" (list $root (ternary $root.Values.images.tritonGpu $root.Values.images.triton (eq $gpu "true"))) }}
  imagePullPolicy: {{ $root.Values.image.pullPolicy }}
  command: [tritonserver]
  args:
    - --model-repository=/models
    - --model-control-mode=none
    - --strict-readiness=true
    - --exit-on-error=true
    - --exit-timeout-secs={{ $pool.shutdownGraceS }}
    - --http-port=8000
    - --grpc-port=8001
    # A worker looks the Service's addresses up again when a connection ends: so it finds added pods.
    - --grpc-max-connection-age=60000
    {{- if include "hilum.tlsEnabled" $root }}
    - --grpc-use-ssl=true
    - --grpc-server-cert=/etc/hilum/tls/tls.crt
    - --grpc-server-key=/etc/hilum/tls/tls.key
    {{- end }}
    - --metrics-port=8002
    - --allow-gpu-metrics={{ default "false" $gpu }}
    - --log-format=ISO8601
    {{- range $pool.extraArguments }}
    - {{ . | quote }}
    {{- end }}
  env:
    - {name: HOME, value: /tmp}
    - {name: PYTHONDONTWRITEBYTECODE, value: "1"}
    - name: HILUM_TRITON_INTRA_OP_THREADS
      value: {{ $pool.intraOpThreads | quote }}
    {{- with $pool.extraEnvironment }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  ports:
    - {name: http, containerPort: 8000}
    - {name: grpc, containerPort: 8001}
    - {name: metrics, containerPort: 8002}
  lifecycle:
    preStop:
      # Workers look the Service's addresses up anew meanwhile.
      exec: {command: [sleep, {{ $pool.settleSeconds | quote }}]}
  startupProbe:
    httpGet: {path: /v2/health/ready, port: http}
    periodSeconds: 5
    timeoutSeconds: 5
    failureThreshold: {{ div (add $pool.startupSeconds 4) 5 }}
  {{- if $root.Values.triton.goldenFilm.enabled }}
  # A GPU that fell off the bus leaves Triton "live": so the known-answer test says whether it must be restarted.
  # After a restart its verdict is the old one until the next film, which this waits for.
  livenessProbe:
    httpGet: {path: /alive, port: 8010}
    periodSeconds: 10
    timeoutSeconds: 5
    failureThreshold: {{ add 3 (div (add (mul 2 $root.Values.triton.goldenFilm.everySeconds) 9) 10) }}
  {{- else }}
  livenessProbe:
    httpGet: {path: /v2/health/live, port: http}
    periodSeconds: 10
    timeoutSeconds: 5
    failureThreshold: 3
  {{- end }}
  readinessProbe:
    httpGet: {path: /v2/health/ready, port: http}
    periodSeconds: 5
    timeoutSeconds: 5
    failureThreshold: 2
  {{- include "hilum.containerSecurity" $root | nindent 2 }}
  resources:
    {{- include "hilum.poolResources" (list $pool.resources $pool) | nindent 4 }}
  volumeMounts:
    {{- include "hilum.modelsVolumeMount" $root | nindent 4 }}
    {{- include "hilum.tmpVolumeMount" $root | nindent 4 }}
    - name: shared-memory
      mountPath: /dev/shm
    {{- with include "hilum.tlsVolumeMount" $root }}
    {{- . | nindent 4 }}
    {{- end }}
{{- end }}
