{{/* An autoscaler. Takes a list: the root, the component, what follows the full name, values of autoscaling, the metric of pods
(its name, and labels of its series) and the value of it that is aimed at. */}}
{{- define "galleria.autoscaler" -}}
{{- $root := index . 0 -}}
{{- $metric := index . 4 -}}
{{- $aim := index . 5 -}}
{{- with index . 3 -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  {{- include "galleria.metadata" (list $root (index $ 1) (index $ 2)) | nindent 2 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: "{{ include "galleria.fullname" $root }}{{ with index $ 2 }}-{{ . }}{{ end }}"
  minReplicas: {{ .minReplicas }}
  maxReplicas: {{ .maxReplicas }}
  metrics:
    {{- if gt (int .cpuPercent) 0 }}
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {{ .cpuPercent }}
    {{- end }}
    {{- if gt (int $aim) 0 }}
    - type: Pods
      pods:
        metric:
          name: {{ $metric.name }}
          {{- with $metric.labels }}
          selector:
            matchLabels:
              {{- toYaml . | nindent 14 }}
          {{- end }}
        target:
          type: AverageValue
          averageValue: {{ int64 $aim | quote }}
    {{- end }}
  behavior:
    scaleDown:
      stabilizationWindowSeconds: {{ .scaleDownSeconds }}
      policies:
        # What was connected to a pod that goes has to connect elsewhere.
        - type: Percent
          value: 25
          periodSeconds: 60
{{- end -}}
{{- end -}}

{{/* A disruption budget. Takes a list: the root, the component, what follows the full name, its values. */}}
{{- define "galleria.disruptionBudget" -}}
{{- $root := index . 0 -}}
{{- with index . 3 -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "galleria.metadata" (list $root (index $ 1) (index $ 2)) | nindent 2 }}
spec:
  {{- if ne (toString .minAvailable) "" }}
  minAvailable: {{ .minAvailable }}
  {{- else }}
  maxUnavailable: {{ .maxUnavailable }}
  {{- end }}
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "galleria.selector" (list $root (index $ 1)) | nindent 6 }}
{{- end -}}
{{- end -}}
