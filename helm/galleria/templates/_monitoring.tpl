{{/* What says that a series is of this installation; podTargetLabels of the monitor puts the labels on. */}}
{{- define "galleria.series" -}}
namespace="{{ .Release.Namespace }}",app_kubernetes_io_instance="{{ .Release.Name }}"
{{- end -}}

{{/* Requests that failed through our fault: refused or broken as a whole, or in what they asked. Takes a list: the root,
the window. */}}
{{- define "galleria.failedRatio" -}}
{{- $series := include "galleria.series" (index . 0) -}}
{{- $window := index . 1 -}}
(
  sum by (namespace, app_kubernetes_io_instance) (
    rate(galleria_requests_total{ {{- $series }},status=~"5.."}[{{ $window }}])
    or rate(galleria_requests_total{ {{- $series }},status!~"5..",code=~"INTERNAL|OVERLOADED|TIMEOUT"}[{{ $window }}])
  )
  or 0 * sum by (namespace, app_kubernetes_io_instance) (rate(galleria_requests_total{ {{- $series }}}[{{ $window }}]))
)
/ sum by (namespace, app_kubernetes_io_instance) (rate(galleria_requests_total{ {{- $series }}}[{{ $window }}]))
{{- end -}}

{{/* Queries and mutations that took too long; subscriptions last. Takes a list: the root, the window. */}}
{{- define "galleria.slowRatio" -}}
{{- $root := index . 0 -}}
{{- $series := printf "%s,operation=~\"query|mutation\"" (include "galleria.series" $root) -}}
{{- $window := index . 1 -}}
{{- $bound := toString $root.Values.monitoring.prometheusRule.latencySeconds -}}
{{- if not (contains "." $bound) }}{{ $bound = printf "%s.0" $bound }}{{ end -}}
1 - sum by (namespace, app_kubernetes_io_instance) (rate(galleria_request_duration_seconds_bucket{ {{- $series }},le="{{ $bound }}"}[{{ $window }}]))
/ sum by (namespace, app_kubernetes_io_instance) (rate(galleria_request_duration_seconds_count{ {{- $series }}}[{{ $window }}]))
{{- end -}}

{{/* An alert. Takes a list: the root, its name, its expression, for how long, its severity, what is said, what to do. */}}
{{- define "galleria.alert" -}}
- alert: {{ index . 1 }}
  expr: |-
    {{- index . 2 | nindent 4 }}
  for: {{ index . 3 }}
  labels:
    severity: {{ index . 4 }}
  annotations:
    summary: {{ index . 5 | quote }}
    description: {{ index . 6 | quote }}
    {{- with (index . 0).Values.monitoring.prometheusRule.runbookUrl }}
    runbook_url: {{ printf . (index $ 1) | quote }}
    {{- end }}
{{- end -}}

{{/* Alerts on the speed at which what may fail is used up, by two windows each: 2 % of a month's in an hour, 5 % in six
(Site Reliability Workbook, chapter 5). Takes a list: the root, the name, the recorded ratio, the objective in percent, what
is said. */}}
{{- define "galleria.burning" -}}
{{- $root := index . 0 -}}
{{- $series := include "galleria.series" $root -}}
{{- $ratio := index . 2 -}}
{{- $allowed := printf "(1 - %v / 100)" (index . 3) -}}
{{- range $speed := list (list "Fast" "1h" "5m" "14.4" "2m" "critical") (list "Slow" "6h" "30m" "6" "15m" "warning") }}
{{ $long := printf "%s%s{%s} > %s * %s" $ratio (index $speed 1) $series (index $speed 3) $allowed -}}
{{- $short := printf "%s%s{%s} > %s * %s" $ratio (index $speed 2) $series (index $speed 3) $allowed -}}
{{- include "galleria.alert" (list $root (printf "%s%s" (index $ 1) (index $speed 0)) (printf "%s\nand\n%s" $long $short) (index $speed 4) (index $speed 5) (index $ 4) (printf "Over the last %s that was {{ $value | humanizePercentage }} of them, more than %s times as many as %v%% allow in a month." (index $speed 1) (index $speed 3) (index $ 3))) }}
{{- end }}
{{- end -}}
