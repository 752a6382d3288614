{{/* What is asked from outside; probes and metrics are for the cluster. */}}
{{- define "galleria.path" -}}/graphql{{- end -}}

{{/* Seconds that a request may take on its way: the server says by itself what took too long. */}}
{{- define "galleria.requestSeconds" -}}
{{- add .Values.config.deadlineSeconds 5 -}}
{{- end -}}

{{/* Backends of a rule of an HTTPRoute: who gets which share. */}}
{{- define "galleria.backendRefs" -}}
{{- $name := include "galleria.fullname" . -}}
- name: {{ $name | quote }}
  port: {{ .Values.service.port }}
  {{- if .Values.canary.enabled }}
  weight: {{ sub 100 (int .Values.canary.weight) }}
- name: {{ $name }}-canary
  port: {{ .Values.service.port }}
  weight: {{ .Values.canary.weight }}
  {{- end }}
{{- end -}}

{{/* Destinations of a route of a VirtualService: who gets which share. */}}
{{- define "galleria.destinations" -}}
- destination:
    host: {{ include "galleria.host" (list . "") }}
    port:
      number: {{ .Values.service.port }}
  {{- if .Values.canary.enabled }}
  weight: {{ sub 100 (int .Values.canary.weight) }}
- destination:
    host: {{ include "galleria.host" (list . "-canary") }}
    port:
      number: {{ .Values.service.port }}
  weight: {{ .Values.canary.weight }}
  {{- end }}
{{- end -}}

{{/* The full name of a Service within the cluster. Takes a list: the root, what follows the full name. */}}
{{- define "galleria.host" -}}
{{- include "galleria.fullname" (index . 0) }}{{ index . 1 }}.{{ (index . 0).Release.Namespace }}.svc.cluster.local
{{- end -}}

{{/* Retries of a mesh, whose own would repeat what has been begun: these are of requests that nobody has seen. */}}
{{- define "galleria.retries" -}}
attempts: 2
retryOn: connect-failure,refused-stream
{{- end -}}

{{/* The Secret of the certificate. */}}
{{- define "galleria.certificateSecret" -}}
{{- .Values.certificate.secretName | default (printf "%s-tls" (include "galleria.fullname" .)) -}}
{{- end -}}

{{/* Hosts that are asked from outside. */}}
{{- define "galleria.entranceHosts" -}}
{{- $hosts := list -}}
{{- if .Values.httpRoute.enabled }}{{ $hosts = concat $hosts .Values.httpRoute.hostnames }}{{ end -}}
{{- if .Values.ingress.enabled }}{{ $hosts = concat $hosts .Values.ingress.hosts }}{{ end -}}
{{- if .Values.istio.virtualService.enabled }}{{ $hosts = concat $hosts .Values.istio.virtualService.hosts }}{{ end -}}
{{- $hosts | uniq | toYaml -}}
{{- end -}}
