{{/* Files that secrets are mounted as, by their names in values. */}}
{{- define "galleria.secretFiles" -}}
databaseUrl: database-url
ownerDatabaseUrl: owner-database-url
redisUrl: redis-url
tokenKeys: token-keys.json
{{- end -}}

{{/* Name of the Secret of secrets given as values (kind: "") or by an external store ("external"). Takes a list: the
root, whether it is for the migrations, whose Secrets have to be there before all else, the kind. */}}
{{- define "galleria.secretName" -}}
{{- include "galleria.fullname" (index . 0) }}{{ if index . 1 }}-migrations{{ end }}-{{ index . 2 | default "secrets" -}}
{{- end -}}

{{/* Names of the Secrets that the chart makes, or has made, of secrets. */}}
{{- define "galleria.secretNames" -}}
{{- range $early := list false true }}
{{- range $kind := list "secrets" "external" }}
- {{ include "galleria.secretName" (list $ $early $kind) }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Where a secret lies: `name` of the Secret and `key`; empty where there is none. Takes a list: the root, the secret,
whether it is for the migrations. */}}
{{- define "galleria.secretSource" -}}
{{- $root := index . 0 -}}
{{- $secret := index . 1 -}}
{{- $early := index . 2 -}}
{{- $given := index $root.Values.secrets $secret -}}
{{- $files := include "galleria.secretFiles" $root | fromYaml -}}
{{- $cluster := include "galleria.databaseName" $root -}}
{{- if and $root.Values.cloudnativepg.enabled (eq $secret "ownerDatabaseUrl") -}}
{{- dict "name" (printf "%s-app" $cluster) "key" "uri" | toYaml -}}
{{- else if and $root.Values.cloudnativepg.enabled (eq $secret "databaseUrl") -}}
{{- dict "name" (include "galleria.applicationSecretName" $root) "key" "url" | toYaml -}}
{{- else if and $root.Values.valkey.enabled (eq $secret "redisUrl") -}}
{{- dict "name" (include "galleria.secretName" (list $root $early "")) "key" "redis-url" | toYaml -}}
{{- else if $given.existingSecret -}}
{{- dict "name" $given.existingSecret "key" $given.key | toYaml -}}
{{- else if $given.remoteKey -}}
{{- dict "name" (include "galleria.secretName" (list $root $early "external")) "key" (index $files $secret) | toYaml -}}
{{- else if $given.value -}}
{{- dict "name" (include "galleria.secretName" (list $root $early "")) "key" (index $files $secret) | toYaml -}}
{{- end -}}
{{- end -}}

{{/* Data of the Secret that the chart makes. Takes a list: the root, the names of secrets. */}}
{{- define "galleria.secretData" -}}
{{- $root := index . 0 -}}
{{- $files := include "galleria.secretFiles" $root | fromYaml -}}
{{- range index . 1 -}}
{{- $given := index $root.Values.secrets . -}}
{{- if and (eq . "redisUrl") $root.Values.valkey.enabled }}
redis-url: {{ printf "redis://%s-valkey:6379/0" (include "galleria.fullname" $root) | quote }}
{{- else if $given.value }}
{{ index $files . }}: {{ $given.value | quote }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* Spec of an ExternalSecret; empty where no secret lies in the store. Takes a list: the root, the names of secrets,
whether it is for the migrations. */}}
{{- define "galleria.externalSecretSpec" -}}
{{- $root := index . 0 -}}
{{- $files := include "galleria.secretFiles" $root | fromYaml -}}
{{- $data := list -}}
{{- range index . 1 -}}
{{- $given := index $root.Values.secrets . -}}
{{- if $given.remoteKey -}}
{{- $remote := dict "key" $given.remoteKey -}}
{{- with $given.remoteProperty }}{{ $_ := set $remote "property" . }}{{ end -}}
{{- $data = append $data (dict "secretKey" (index $files .) "remoteRef" $remote) -}}
{{- end -}}
{{- end -}}
{{- if $data -}}
refreshInterval: {{ $root.Values.externalSecrets.refreshInterval | quote }}
secretStoreRef:
  {{- toYaml $root.Values.externalSecrets.store | nindent 2 }}
target:
  name: {{ include "galleria.secretName" (list $root (index . 2) "external") }}
data:
  {{- toYaml $data | nindent 2 }}
{{- end -}}
{{- end -}}

{{/* The volume of a pod's secrets. Takes a list: the root, the names of secrets, whether it is for the migrations. */}}
{{- define "galleria.secretVolume" -}}
{{- $root := index . 0 -}}
{{- $early := index . 2 -}}
{{- $files := include "galleria.secretFiles" $root | fromYaml -}}
name: secrets
projected:
  # For the group of the pod alone.
  defaultMode: 0440
  sources:
    {{- range $secret := index . 1 }}
    {{- with include "galleria.secretSource" (list $root $secret $early) | fromYaml }}
    - secret:
        name: {{ .name | quote }}
        items:
          - key: {{ .key | quote }}
            path: {{ index $files $secret }}
    {{- end }}
    {{- end }}
{{- end -}}

{{/* The secret that the migrations connect with. */}}
{{- define "galleria.migrationsSecret" -}}
{{- if include "galleria.secretSource" (list . "ownerDatabaseUrl" true) -}}ownerDatabaseUrl{{- else -}}databaseUrl{{- end -}}
{{- end -}}
