{{/* The chart's name, as labels have it. */}}
{{- define "galleria.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimAll "-" -}}
{{- end -}}

{{/* What all names begin with: a label of DNS, as Services are called, that begins with a letter. It has 38 characters, so that
what is appended fits into the 63 of a label, and into the 50 of a Cluster of CloudNativePG. */}}
{{- define "galleria.fullname" -}}
{{- $name := .Release.Name -}}
{{- if .Values.fullnameOverride -}}
{{- $name = .Values.fullnameOverride -}}
{{- else if not (contains (include "galleria.name" .) $name) -}}
{{- $name = printf "%s-%s" $name (include "galleria.name" .) -}}
{{- end -}}
{{- if regexMatch "^[0-9]" $name -}}
{{- $name = printf "g-%s" $name -}}
{{- end -}}
{{- $name | replace "." "-" | trunc 38 | trimAll "-" -}}
{{- end -}}

{{/* Labels that never change, and select pods. Takes a list: the root, the component. */}}
{{- define "galleria.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "galleria.name" $root | quote }}
app.kubernetes.io/instance: {{ $root.Release.Name | quote }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* All labels. Takes a list: the root, the component. */}}
{{- define "galleria.labels" -}}
{{- $root := index . 0 -}}
{{ include "galleria.selector" . }}
app.kubernetes.io/part-of: galleria
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* The same, and further labels, of which none replaces one of these. Takes a list: the root, the component, what follows the
full name, the labels. */}}
{{- define "galleria.labelled" -}}
{{- $metadata := include "galleria.metadata" . | fromYaml -}}
{{- $_ := set $metadata "labels" (merge (dict) $metadata.labels (index . 3)) -}}
{{- toYaml $metadata -}}
{{- end -}}

{{/* Name, namespace and labels of an object. Takes a list: the root, the component, what follows the full name. */}}
{{- define "galleria.metadata" -}}
{{- $root := index . 0 -}}
name: "{{ include "galleria.fullname" $root }}{{ with index . 2 }}-{{ . }}{{ end }}"
namespace: {{ $root.Release.Namespace | quote }}
labels:
  {{- include "galleria.labels" (list $root (index . 1)) | nindent 2 }}
{{- end -}}

{{/* The image of a pod. Takes a list: the root, a tag and a digest that win over those of all pods. */}}
{{- define "galleria.image" -}}
{{- $root := index . 0 -}}
{{- $tag := index . 1 -}}
{{- $digest := index . 2 -}}
{{- if not (or $tag $digest) -}}
{{- $tag = $root.Values.image.tag | default $root.Chart.AppVersion -}}
{{- $digest = $root.Values.image.digest -}}
{{- end -}}
{{- $root.Values.image.repository }}{{ with $tag }}:{{ . }}{{ end }}{{ with $digest }}@{{ . }}{{ end -}}
{{- end -}}

{{/* The image of the newest release in use: the schema is that of the canary where there is one. */}}
{{- define "galleria.newestImage" -}}
{{- if .Values.canary.enabled -}}
{{- include "galleria.image" (list . .Values.canary.image.tag .Values.canary.image.digest) -}}
{{- else -}}
{{- include "galleria.image" (list . "" "") -}}
{{- end -}}
{{- end -}}
