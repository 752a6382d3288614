{{/* Spec of the Deployment of pods that answer requests. Takes a list: the root, the component (api or canary), the image,
their number or empty where it is left to an autoscaler. */}}
{{- define "galleria.apiDeployment" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $api := $root.Values.api -}}
{{- $secrets := include "galleria.apiSecrets" $root | fromYamlArray -}}
{{- with index . 3 }}
replicas: {{ . }}
{{- end }}
revisionHistoryLimit: 5
selector:
  matchLabels:
    {{- include "galleria.selector" (list $root $component) | nindent 4 }}
strategy:
  type: RollingUpdate
  rollingUpdate:
    # Nobody leaves before the next one is ready.
    maxUnavailable: 0
    maxSurge: 25%
template:
  metadata:
    {{- include "galleria.podMetadata" (list $root $component $api (include "galleria.checksums" (list $root $secrets) | fromYaml)) | nindent 4 }}
  spec:
    {{- include "galleria.podSpec" (list $root $api "") | nindent 4 }}
    terminationGracePeriodSeconds: {{ include "galleria.gracePeriodSeconds" $root }}
    {{- include "galleria.spread" (list $root $component $api.topologySpread) | nindent 4 }}
    containers:
      - name: api
        image: {{ index . 2 | quote }}
        imagePullPolicy: {{ $root.Values.image.pullPolicy }}
        args: [serve]
        env:
          {{- include "galleria.env" (list $root $secrets) | nindent 10 }}
          {{- if $root.Values.config.registeredDocuments.existingConfigMap }}
          # Not among the settings of all pods: the relay has no such file.
          - name: GALLERIA_REGISTERED_DOCUMENTS
            value: /run/galleria/documents.json
          {{- end }}
        envFrom:
          - configMapRef:
              name: {{ include "galleria.fullname" $root | quote }}
        ports:
          - name: http
            containerPort: {{ include "galleria.port" $root }}
          - name: metrics
            containerPort: {{ include "galleria.metricsPort" $root }}
        {{- include "galleria.probes" (list $api.probes "http") | nindent 8 }}
        {{- with int $api.preStopSeconds }}
        lifecycle:
          preStop:
            sleep:
              seconds: {{ . }}
        {{- end }}
        resources:
          {{- toYaml $api.resources | nindent 10 }}
        securityContext:
          {{- include "galleria.containerSecurity" $root | nindent 10 }}
        volumeMounts:
          {{- include "galleria.mounts" $root | nindent 10 }}
          {{- if $root.Values.config.registeredDocuments.existingConfigMap }}
          - name: documents
            mountPath: /run/galleria
            readOnly: true
          {{- end }}
    volumes:
      - {{- include "galleria.secretVolume" (list $root $secrets false) | nindent 8 }}
      - {{- include "galleria.temporaryVolume" $root | nindent 8 }}
      {{- include "galleria.certificatesVolume" $root | nindent 6 }}
      {{- with $root.Values.config.registeredDocuments }}
      {{- if .existingConfigMap }}
      - name: documents
        configMap:
          name: {{ .existingConfigMap | quote }}
          defaultMode: 0440
          items:
            - key: {{ .key | quote }}
              path: documents.json
      {{- end }}
      {{- end }}
{{- end -}}

{{/* Probes of a container. Takes a list: their values, the port. */}}
{{- define "galleria.probes" -}}
{{- $port := index . 1 -}}
{{- with index . 0 -}}
startupProbe:
  httpGet:
    path: /startupz
    port: {{ $port }}
  periodSeconds: {{ .startup.periodSeconds }}
  failureThreshold: {{ .startup.failureThreshold }}
livenessProbe:
  httpGet:
    path: /livez
    port: {{ $port }}
  periodSeconds: {{ .liveness.periodSeconds }}
  timeoutSeconds: {{ .liveness.timeoutSeconds }}
  failureThreshold: {{ .liveness.failureThreshold }}
readinessProbe:
  httpGet:
    path: /readyz
    port: {{ $port }}
  periodSeconds: {{ .readiness.periodSeconds }}
  timeoutSeconds: {{ .readiness.timeoutSeconds }}
  failureThreshold: {{ .readiness.failureThreshold }}
{{- end -}}
{{- end -}}

{{/* How pods are kept apart. Takes a list: the root, the component, values of it. */}}
{{- define "galleria.spread" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $spread := index . 2 -}}
{{- if or (ne $spread.zones "Off") (ne $spread.hosts "Off") -}}
topologySpreadConstraints:
  {{- range $key, $mode := dict "topology.kubernetes.io/zone" $spread.zones "kubernetes.io/hostname" $spread.hosts }}
  {{- if ne $mode "Off" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: {{ $mode }}
    # Pods of one release are counted: while it is rolled out, those of the last are about to go.
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels:
        {{- include "galleria.selector" (list $root $component) | nindent 8 }}
  {{- end }}
  {{- end }}
{{- end -}}
{{- end -}}

{{/* Ports of a Service in front of pods that answer requests. */}}
{{- define "galleria.servicePorts" -}}
- name: http
  port: {{ .Values.service.port }}
  targetPort: http
  # WebSockets begin as HTTP too.
  appProtocol: http
{{- end -}}
