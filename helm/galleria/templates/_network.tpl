{{/* Rules that let pods resolve names. */}}
{{- define "galleria.dnsEgress" -}}
- to:
    {{- toYaml .Values.networkPolicy.dnsTo | nindent 4 }}
  ports:
    - port: 53
      protocol: UDP
    - port: 53
      protocol: TCP
{{- end -}}

{{/* A rule that lets pods reach a server. Takes a list: peers, which may be none, and the port. */}}
{{- define "galleria.serverEgress" -}}
- ports:
    - port: {{ index . 1 }}
      protocol: TCP
  {{- with index . 0 }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* Rules that let pods reach the database: through its pooler or, as migrations do, directly. Takes a list: the root, whether it
is directly. */}}
{{- define "galleria.databaseEgress" -}}
{{- $root := index . 0 -}}
{{- $given := ternary $root.Values.networkPolicy.ownerDatabase $root.Values.networkPolicy.database (index . 1) -}}
{{- $peers := $given.to -}}
{{- $port := $given.port -}}
{{- if $root.Values.cloudnativepg.enabled -}}
{{- $port = 5432 -}}
{{- $made := dict "cnpg.io/cluster" (include "galleria.databaseName" $root) -}}
{{- if and $root.Values.cloudnativepg.pooler.enabled (not (index . 1)) -}}
{{- $made = dict "cnpg.io/poolerName" (include "galleria.poolerName" $root) -}}
{{- end -}}
{{- $peers = list (dict "podSelector" (dict "matchLabels" $made)) -}}
{{- end -}}
{{ include "galleria.serverEgress" (list $peers $port) }}
{{- end -}}

{{/* Rules that let pods reach Redis, where there is one. */}}
{{- define "galleria.redisEgress" -}}
{{- if .Values.valkey.enabled -}}
{{- $labels := include "galleria.selector" (list . "valkey") | fromYaml -}}
{{ include "galleria.serverEgress" (list (list (dict "podSelector" (dict "matchLabels" $labels))) 6379) }}
{{- else if include "galleria.secretSource" (list . "redisUrl" false) -}}
{{ include "galleria.serverEgress" (list .Values.networkPolicy.redis.to .Values.networkPolicy.redis.port) }}
{{- end -}}
{{- end -}}

{{/* Rules that let the proxies of a mesh reach its control plane, where there is one. */}}
{{- define "galleria.meshEgress" -}}
{{- $istio := .Values.istio -}}
{{- if or $istio.virtualService.enabled $istio.destinationRule.enabled $istio.peerAuthentication.enabled -}}
- to:
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: istio-system
  ports:
    - port: 15012
      protocol: TCP
{{- end -}}
{{- end -}}

{{/* Whether some network, rather than pods alone, may ask the API. */}}
{{- define "galleria.networksMayAsk" -}}
{{- range .Values.networkPolicy.apiFrom -}}
{{- if .ipBlock -}}yes{{- end -}}
{{- end -}}
{{- end -}}

{{/* A rule for the port of an ambient mesh, where there is one. */}}
{{- define "galleria.ambientRule" -}}
{{- if .Values.istio.ambient -}}
- ports:
    - port: 15008
      protocol: TCP
{{- end -}}
{{- end -}}

{{/* All that pods with these rules may reach. Takes a list: the root, texts of rules. */}}
{{- define "galleria.egress" -}}
{{- range compact (index . 1) }}
{{ . }}
{{- end }}
{{- with include "galleria.ambientRule" (index . 0) }}
{{ . }}
{{- end }}
{{- with (index . 0).Values.networkPolicy.extraEgress }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Selects the pods of components. Takes a list: the root, their names. */}}
{{- define "galleria.componentsSelector" -}}
{{- $labels := omit (include "galleria.selector" (list (index . 0) "") | fromYaml) "app.kubernetes.io/component" -}}
matchLabels:
  {{- toYaml $labels | nindent 2 }}
matchExpressions:
  - key: app.kubernetes.io/component
    operator: In
    values:
      {{- toYaml (index . 1) | nindent 6 }}
{{- end -}}
