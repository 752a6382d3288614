{{/* Numbers that the server and its image know too. */}}
{{- define "galleria.port" -}}8000{{- end -}}
{{- define "galleria.metricsPort" -}}9100{{- end -}}

{{/* Seconds that the server gives requests that are under way when it stops listening. */}}
{{- define "galleria.lastRequestsSeconds" -}}20{{- end -}}

{{/* Seconds from being told to stop to being killed: the parts come one after the other. */}}
{{- define "galleria.gracePeriodSeconds" -}}
{{- $requests := max (int (include "galleria.lastRequestsSeconds" .)) (int .Values.config.deadlineSeconds) -}}
{{- add .Values.api.preStopSeconds .Values.config.drainSeconds $requests .Values.api.reserveSeconds -}}
{{- end -}}

{{/* What holds for each pod. Takes a list: the root, values of its placement, what follows the full name in the name of
its ServiceAccount. */}}
{{- define "galleria.podSpec" -}}
{{- $root := index . 0 -}}
{{- $values := index . 1 -}}
serviceAccountName: "{{ include "galleria.fullname" $root }}{{ with index . 2 }}-{{ . }}{{ end }}"
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- include "galleria.podSecurity" $root | nindent 2 }}
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Who a pod runs as. */}}
{{- define "galleria.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* What a container may do: nothing. */}}
{{- define "galleria.containerSecurity" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
seccompProfile:
  type: RuntimeDefault
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Annotations and labels of a pod. Takes a list: the root, the component, values of both, further annotations. */}}
{{- define "galleria.podMetadata" -}}
{{- $values := index . 2 -}}
{{- with merge (dict) $values.podAnnotations (index . 3) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
labels:
  {{- $labels := include "galleria.selector" (list (index . 0) (index . 1)) | fromYaml }}
  {{- $_ := set $labels "app.kubernetes.io/part-of" "galleria" }}
  {{- merge $labels $values.podLabels | toYaml | nindent 2 }}
{{- end -}}

{{/* Annotations of the pod of `helm test`: what it said can be read until the next time. */}}
{{- define "galleria.verifyAnnotations" -}}
helm.sh/hook: test
helm.sh/hook-delete-policy: before-hook-creation
checkov.io/skip1: CKV_K8S_8=It ends by itself, and activeDeadlineSeconds ends it if not
checkov.io/skip2: CKV_K8S_9=Nobody sends it requests
{{- end -}}

{{/* Checksums of what pods read at their start, so that a change starts them anew. Takes a list: the root, the names of
their secrets. */}}
{{- define "galleria.checksums" -}}
checksum/config: {{ include "galleria.config" (index . 0) | sha256sum }}
checksum/secrets: {{ include "galleria.secretData" . | sha256sum }}
{{- end -}}

{{/* Secrets of the pods that serve, and of the relay. */}}
{{- define "galleria.apiSecrets" -}}
[databaseUrl, redisUrl, tokenKeys]
{{- end -}}
{{- define "galleria.relaySecrets" -}}
[databaseUrl, redisUrl]
{{- end -}}

{{/* Environment of a container: where its secrets lie. Takes a list: the root, the names of secrets. */}}
{{- define "galleria.env" -}}
{{- $root := index . 0 -}}
{{- $names := index . 1 -}}
- name: DATABASE_URL_FILE
  value: /run/secrets/galleria/database-url
{{- if and (has "redisUrl" $names) (include "galleria.secretSource" (list $root "redisUrl" false)) }}
- name: REDIS_URL_FILE
  value: /run/secrets/galleria/redis-url
{{- end }}
{{- if has "tokenKeys" $names }}
- name: GALLERIA_TOKEN_KEYS
  value: /run/secrets/galleria/token-keys.json
{{- end }}
{{- end -}}

{{/* What a container has of the volumes that each pod has, and these. */}}
{{- define "galleria.mounts" -}}
- name: secrets
  mountPath: /run/secrets/galleria
  readOnly: true
- name: temporary
  mountPath: /tmp
{{- include "galleria.certificatesMount" . }}
{{- end -}}

{{/* Certificates of a private authority: where they are mounted, and whence; empty where there are none. */}}
{{- define "galleria.certificatesMount" -}}
{{- if or .Values.caCertificates.existingConfigMap .Values.caCertificates.existingSecret }}
- name: certificates
  mountPath: /run/certificates
  readOnly: true
{{- end }}
{{- end -}}
{{- define "galleria.certificatesVolume" -}}
{{- with .Values.caCertificates }}
{{- if or .existingConfigMap .existingSecret }}
- name: certificates
  projected:
    defaultMode: 0440
    sources:
      - {{ ternary "configMap" "secret" (ne .existingConfigMap "") }}:
          name: {{ .existingConfigMap | default .existingSecret | quote }}
          items:
            - key: {{ .key | quote }}
              path: ca.crt
{{- end }}
{{- end }}
{{- end -}}
{{- define "galleria.temporaryVolume" -}}
name: temporary
emptyDir:
  sizeLimit: 64Mi
{{- end -}}
