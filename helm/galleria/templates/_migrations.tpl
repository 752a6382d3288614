{{/* Whether the migrations run beside the rest: at an installation whose database is made by it too, nothing could run
before it. */}}
{{- define "galleria.migrationsBeside" -}}
{{- if and .Values.cloudnativepg.enabled .Release.IsInstall -}}yes{{- end -}}
{{- end -}}

{{/* Annotations that let an object of the migrations come before everything else. All stay until the next attempt: the job to
be looked at, and what it needs because it may run on when Helm waits no longer. Takes a list: the root, the weight, further annotations. */}}
{{- define "galleria.migrationsHook" -}}
{{- $annotations := dict -}}
{{- if gt (len .) 2 -}}
{{- $annotations = merge (dict) (index . 2) -}}
{{- end -}}
{{- if not (include "galleria.migrationsBeside" (index . 0)) -}}
{{- $_ := set $annotations "helm.sh/hook" "pre-install,pre-upgrade" -}}
{{- $_ := set $annotations "helm.sh/hook-weight" (index . 1 | toString) -}}
{{- $_ := set $annotations "helm.sh/hook-delete-policy" "before-hook-creation" -}}
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

{{/* Seconds after which the job has failed. Beside the rest, where Helm does not wait for it, it has the time that an operator
takes to make a database. */}}
{{- define "galleria.migrationsSeconds" -}}
{{- $seconds := int .Values.migrations.deadlineSeconds -}}
{{- if include "galleria.migrationsBeside" . -}}
{{- $seconds = max $seconds 1800 -}}
{{- end -}}
{{- $seconds -}}
{{- end -}}

{{/* Seconds of these that it waits for the database: the rest, a minute or half of them, is left to migrate. */}}
{{- define "galleria.migrationsWait" -}}
{{- $seconds := int (include "galleria.migrationsSeconds" .) -}}
{{- sub $seconds (min 60 (div $seconds 2)) -}}
{{- end -}}

{{/* How long Helm has to wait, where its own five minutes are too short for the job to end; empty otherwise. */}}
{{- define "galleria.helmTimeout" -}}
{{- $seconds := int .Values.migrations.deadlineSeconds -}}
{{- if and .Values.migrations.enabled (gt $seconds 280) -}}
{{- add (div (add $seconds 59) 60) 1 }}m
{{- end -}}
{{- end -}}

{{/* Data of the Secret of the migrations: what they connect with, where that is given as a value. */}}
{{- define "galleria.migrationsSecretData" -}}
{{- $secret := include "galleria.migrationsSecret" . -}}
{{- with (index .Values.secrets $secret).value -}}
{{ index (include "galleria.secretFiles" $ | fromYaml) $secret }}: {{ . | quote }}
{{- end -}}
{{- end -}}
