{{/* Whether the migrations run beside the rest: at an installation whose database is made by it too, nothing could run
before it. */}}
{{- define "galleria.migrationsBeside" -}}
{{- if and .Values.cloudnativepg.enabled .Release.IsInstall -}}yes{{- end -}}
{{- end -}}

{{/* Annotations that let an object of the migrations come before everything else. The job (of weight 0) stays, to be looked
at, until the next attempt; what it needs goes with its success. Takes a list: the root, the weight, further annotations. */}}
{{- define "galleria.migrationsHook" -}}
{{- $annotations := dict -}}
{{- if gt (len .) 2 -}}
{{- $annotations = merge (dict) (index . 2) -}}
{{- end -}}
{{- if not (include "galleria.migrationsBeside" (index . 0)) -}}
{{- $_ := set $annotations "helm.sh/hook" "pre-install,pre-upgrade" -}}
{{- $_ := set $annotations "helm.sh/hook-weight" (index . 1 | toString) -}}
{{- $_ := set $annotations "helm.sh/hook-delete-policy" (ternary "before-hook-creation" "before-hook-creation,hook-succeeded" (eq (index . 1) 0)) -}}
{{- end -}}
{{- with $annotations -}}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end -}}
{{- end -}}

{{/* The name of the job: as a hook it is replaced, beside the rest it must not be changed by a later upgrade. */}}
{{- define "galleria.migrationsJobSuffix" -}}
migrations{{ if include "galleria.migrationsBeside" . }}-first{{ end }}
{{- end -}}

{{/* Data of the Secret of the migrations: what they connect with, where that is given as a value. */}}
{{- define "galleria.migrationsSecretData" -}}
{{- $secret := include "galleria.migrationsSecret" . -}}
{{- with (index .Values.secrets $secret).value -}}
{{ index (include "galleria.secretFiles" $ | fromYaml) $secret }}: {{ . | quote }}
{{- end -}}
{{- end -}}
