{{/* Names of what CloudNativePG makes. */}}
{{- define "galleria.databaseName" -}}
{{- include "galleria.fullname" . }}-postgresql
{{- end -}}
{{- define "galleria.poolerName" -}}
{{- include "galleria.fullname" . }}-pooler
{{- end -}}

{{/* Whether the migrations would look for a database that this upgrade is yet to make. Where nothing can be looked up (a dry run),
the Service of the last revision cannot either. */}}
{{- define "galleria.databaseMissing" -}}
{{- if and .Values.cloudnativepg.enabled .Values.migrations.enabled (not .Release.IsInstall) -}}
{{- $service := lookup "v1" "Service" .Release.Namespace (include "galleria.fullname" .) -}}
{{- $secret := lookup "v1" "Secret" .Release.Namespace (printf "%s-app" (include "galleria.databaseName" .)) -}}
{{- if and $service (not $secret) -}}yes{{- end -}}
{{- end -}}
{{- end -}}

{{/* The Secret with what the application's role signs in with. */}}
{{- define "galleria.applicationSecretName" -}}
{{- .Values.cloudnativepg.applicationSecret | default (printf "%s-postgresql-application" (include "galleria.fullname" .)) -}}
{{- end -}}

{{/* The password of the application's role: the one that there is, else a new one. */}}
{{- define "galleria.applicationPassword" -}}
{{- $there := lookup "v1" "Secret" .Release.Namespace (include "galleria.applicationSecretName" .) -}}
{{- if and $there $there.data -}}
{{- $there.data.password | b64dec -}}
{{- else -}}
{{- randAlphaNum 40 -}}
{{- end -}}
{{- end -}}
