{{/* What is wrong with the values beyond what their schema can say: a list of sentences, each of which says what to do. */}}
{{- define "galleria.problems" -}}
{{- $problems := list -}}
{{- range $part := list "secrets" "budgets" "processes" "scaling" "entrances" "canary" "made" -}}
{{- $problems = concat $problems (include (printf "galleria.problems.%s" $part) $ | fromYamlArray) -}}
{{- end -}}
{{- toYaml $problems -}}
{{- end -}}

{{- define "galleria.problems.secrets" -}}
{{- $problems := list -}}
{{- range $name, $secret := .Values.secrets -}}
{{- $ways := compact (list $secret.value $secret.existingSecret $secret.remoteKey) -}}
{{- if gt (len $ways) 1 -}}
{{- $problems = append $problems (printf "Give secrets.%s in one way: as value, existingSecret or remoteKey." $name) -}}
{{- end -}}
{{- if and $secret.remoteKey (not $.Values.externalSecrets.store.name) -}}
{{- $problems = append $problems (printf "Set externalSecrets.store.name: secrets.%s.remoteKey is looked up there." $name) -}}
{{- end -}}
{{- end -}}
{{- range $path, $name := include "galleria.givenSecrets" . | fromYaml -}}
{{- if has $name (include "galleria.secretNames" $ | fromYamlArray) -}}
{{- $problems = append $problems (printf "Call the Secret of %s something other than %s: the chart makes and deletes a Secret of that name." $path $name) -}}
{{- end -}}
{{- end -}}
{{- if not (include "galleria.secretSource" (list . "databaseUrl" false)) -}}
{{- $problems = append $problems "Give secrets.databaseUrl: nothing can be served without a PostgreSQL. Or set cloudnativepg.enabled." -}}
{{- end -}}
{{- if not (include "galleria.secretSource" (list . "tokenKeys" false)) -}}
{{- $problems = append $problems "Give secrets.tokenKeys: access tokens are verified with them." -}}
{{- end -}}
{{- if not .Values.config.tokenIssuer -}}
{{- $problems = append $problems "Set config.tokenIssuer to the issuer (iss) that access tokens name." -}}
{{- end -}}
{{- $made := include "galleria.settings" . | fromYaml -}}
{{- range $name, $_ := .Values.extraEnv -}}
{{- if or (hasKey $made $name) (has (trimSuffix "_FILE" $name) (list "DATABASE_URL" "GALLERIA_OWNER_DATABASE_URL" "REDIS_URL" "GALLERIA_TOKEN_KEYS" "GALLERIA_REGISTERED_DOCUMENTS")) -}}
{{- $problems = append $problems (printf "Leave %s out of extraEnv: config or secrets set it." $name) -}}
{{- end -}}
{{- end -}}
{{- range $name := list "PATH" "HOME" "PYTHONHOME" "PYTHONPATH" "LD_LIBRARY_PATH" "LD_PRELOAD" -}}
{{- if hasKey $.Values.extraEnv $name -}}
{{- $problems = append $problems (printf "Leave %s out of extraEnv: the image sets what its programs need." $name) -}}
{{- end -}}
{{- end -}}
{{- toYaml $problems -}}
{{- end -}}

{{/* Secrets that are not the chart's, by the path of the value that names each. */}}
{{- define "galleria.givenSecrets" -}}
{{- range $name, $secret := .Values.secrets }}
secrets.{{ $name }}.existingSecret: {{ $secret.existingSecret | quote }}
{{- end }}
caCertificates.existingSecret: {{ .Values.caCertificates.existingSecret | quote }}
verify.token.existingSecret: {{ .Values.verify.token.existingSecret | quote }}
cloudnativepg.applicationSecret: {{ .Values.cloudnativepg.applicationSecret | quote }}
certificate.secretName: {{ .Values.certificate.secretName | quote }}
{{- end -}}

{{- define "galleria.problems.budgets" -}}
{{- $problems := list -}}
{{- /* What the server gives those whose budgets are not named. */ -}}
{{- $points := dict "shopper" 2000 "customer" 2000 "staff" 10000 "key" 10000 "shop" 200000 -}}
{{- range $client, $budget := .Values.config.budgets -}}
{{- $_ := set $points $client $budget.capacity -}}
{{- end -}}
{{- range $client, $capacity := omit $points "shop" -}}
{{- if gt (mul 2 (int64 $capacity)) (int64 $points.shop) -}}
{{- $problems = append $problems (printf "Set config.budgets.shop.capacity to at least %d: twice the points of %s." (mul 2 (int64 $capacity)) $client) -}}
{{- end -}}
{{- end -}}
{{- toYaml $problems -}}
{{- end -}}

{{- define "galleria.problems.processes" -}}
{{- $problems := list -}}
{{- $api := .Values.api -}}
{{- $several := or (gt (int $api.replicas) 1) (gt (int .Values.config.workers) 1) -}}
{{- $many := or $api.autoscaling.enabled $several .Values.canary.enabled -}}
{{- if not (include "galleria.secretSource" (list . "redisUrl" false)) -}}
{{- if $many -}}
{{- $problems = append $problems "Give secrets.redisUrl (or set valkey.enabled): without Redis several processes keep budgets, live events and kept answers apart. Or set api.replicas and config.workers to 1." -}}
{{- end -}}
{{- if .Values.relay.enabled -}}
{{- $problems = append $problems "Give secrets.redisUrl (or set valkey.enabled): a relay in pods of its own tells the others of events by Redis. Or unset relay.enabled." -}}
{{- end -}}
{{- end -}}
{{- toYaml $problems -}}
{{- end -}}

{{- define "galleria.problems.scaling" -}}
{{- $problems := list -}}
{{- range $component := ternary (list "api" "relay") (list "api") .Values.relay.enabled -}}
{{- $values := index $.Values $component -}}
{{- $problems = concat $problems (include "galleria.problems.autoscaling" (list $component $values) | fromYamlArray) -}}
{{- $problems = concat $problems (include "galleria.problems.disruption" (list $component $values) | fromYamlArray) -}}
{{- end -}}
{{- toYaml $problems -}}
{{- end -}}

{{- define "galleria.problems.autoscaling" -}}
{{- $problems := list -}}
{{- $component := index . 0 -}}
{{- with (index . 1).autoscaling -}}
{{- if .enabled -}}
{{- if gt (int .minReplicas) (int .maxReplicas) -}}
{{- $problems = append $problems (printf "Set %s.autoscaling.maxReplicas to at least minReplicas." $component) -}}
{{- end -}}
{{- if not (or .cpuPercent .operationsRunning .eventsWaiting) -}}
{{- $metric := ternary "operationsRunning" "eventsWaiting" (eq $component "api") -}}
{{- $problems = append $problems (printf "Set %s.autoscaling.cpuPercent or %s: autoscaling needs something to follow." $component $metric) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toYaml $problems -}}
{{- end -}}

{{/* How many pods a number or a share of them is; of a share the next whole number. Takes a list: it, all pods. */}}
{{- define "galleria.podsOf" -}}
{{- $given := index . 0 -}}
{{- if hasSuffix "%" $given -}}
{{- div (add (mul (trimSuffix "%" $given | atoi) (index . 1)) 99) 100 -}}
{{- else -}}
{{- $given -}}
{{- end -}}
{{- end -}}

{{- define "galleria.problems.disruption" -}}
{{- $problems := list -}}
{{- $component := index . 0 -}}
{{- $values := index . 1 -}}
{{- $least := int (ternary $values.autoscaling.minReplicas $values.replicas $values.autoscaling.enabled) -}}
{{- $budget := $values.podDisruptionBudget -}}
{{- if $budget.enabled -}}
{{- $stay := toString $budget.minAvailable -}}
{{- $go := toString $budget.maxUnavailable -}}
{{- if eq (eq $stay "") (eq $go "") -}}
{{- $problems = append $problems (printf "Set one of %s.podDisruptionBudget.minAvailable and maxUnavailable, and the other to \"\"." $component) -}}
{{- else if and $stay (ge (int (include "galleria.podsOf" (list $stay $least))) $least) -}}
{{- $problems = append $problems (printf "Set %s.podDisruptionBudget.minAvailable below %d, the least number of pods: else no node can be emptied." $component $least) -}}
{{- else if or (eq $go "0") (eq $go "0%") -}}
{{- $problems = append $problems (printf "Set %s.podDisruptionBudget.maxUnavailable to at least 1: else no node can be emptied." $component) -}}
{{- end -}}
{{- end -}}
{{- toYaml $problems -}}
{{- end -}}

{{- define "galleria.problems.entrances" -}}
{{- $problems := list -}}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) -}}
{{- $problems = append $problems "Set httpRoute.parentRefs to the gateways that the route belongs to." -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) -}}
{{- $problems = append $problems "Set ingress.hosts to the hosts that the ingress answers for." -}}
{{- end -}}
{{- if .Values.certificate.enabled -}}
{{- if ge (int64 (include "galleria.seconds" .Values.certificate.renewBefore)) (int64 (include "galleria.seconds" .Values.certificate.duration)) -}}
{{- $problems = append $problems "Set certificate.renewBefore to less than duration: else there is always a certificate to be fetched." -}}
{{- end -}}
{{- if not .Values.certificate.issuerRef.name -}}
{{- $problems = append $problems "Set certificate.issuerRef.name to the issuer of cert-manager." -}}
{{- end -}}
{{- if not (include "galleria.certificateHosts" . | fromYamlArray) -}}
{{- $problems = append $problems "Set certificate.dnsNames, or the hosts of httpRoute, ingress or istio: a certificate is for hosts." -}}
{{- end -}}
{{- end -}}
{{- if and .Values.istio.virtualService.gateways (not .Values.istio.virtualService.hosts) -}}
{{- $problems = append $problems "Set istio.virtualService.hosts: a gateway needs to know for which hosts it answers." -}}
{{- end -}}
{{- toYaml $problems -}}
{{- end -}}

{{/* Seconds of a duration such as 1h30m. */}}
{{- define "galleria.seconds" -}}
{{- $seconds := 0 -}}
{{- range regexFindAll "[0-9]+[hms]" . -1 -}}
{{- $unit := index (dict "h" 3600 "m" 60 "s" 1) (trimAll "0123456789" .) -}}
{{- $seconds = add $seconds (mul (trimAll "hms" . | int64) $unit) -}}
{{- end -}}
{{- $seconds -}}
{{- end -}}

{{- define "galleria.problems.canary" -}}
{{- $problems := list -}}
{{- if .Values.canary.enabled -}}
{{- if not (or .Values.canary.image.tag .Values.canary.image.digest) -}}
{{- $problems = append $problems "Set canary.image.tag or digest: a canary runs another release." -}}
{{- end -}}
{{- if not (or .Values.istio.virtualService.enabled .Values.httpRoute.enabled) -}}
{{- $problems = append $problems "Set istio.virtualService.enabled or httpRoute.enabled: nothing else shares requests with the canary." -}}
{{- end -}}
{{- end -}}
{{- toYaml $problems -}}
{{- end -}}

{{- define "galleria.problems.made" -}}
{{- $problems := list -}}
{{- if .Values.cloudnativepg.enabled -}}
{{- range $name := list "databaseUrl" "ownerDatabaseUrl" -}}
{{- $given := index $.Values.secrets $name -}}
{{- if or $given.value $given.existingSecret $given.remoteKey -}}
{{- $problems = append $problems (printf "Leave secrets.%s out, or unset cloudnativepg.enabled, which makes it." $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if include "galleria.databaseMissing" . -}}
{{- $problems = append $problems "Set migrations.enabled to false for this upgrade, which makes the database; once it is there and filled, upgrade with migrations.enabled. Migrations come first, and there is nothing yet to be migrated." -}}
{{- end -}}
{{- if .Values.valkey.enabled -}}
{{- $given := .Values.secrets.redisUrl -}}
{{- if or $given.value $given.existingSecret $given.remoteKey -}}
{{- $problems = append $problems "Leave secrets.redisUrl out, or unset valkey.enabled, which makes it." -}}
{{- end -}}
{{- end -}}
{{- if and .Values.caCertificates.existingConfigMap .Values.caCertificates.existingSecret -}}
{{- $problems = append $problems "Give caCertificates in one way: as existingConfigMap or existingSecret." -}}
{{- end -}}
{{- if and .Values.verify.token.existingSecret (not .Values.verify.shop) -}}
{{- $problems = append $problems "Set verify.shop to the shop that verify.token is for." -}}
{{- end -}}
{{- toYaml $problems -}}
{{- end -}}

{{/* Hosts of the certificate. */}}
{{- define "galleria.certificateHosts" -}}
{{- $hosts := .Values.certificate.dnsNames -}}
{{- if not $hosts -}}
{{- $hosts = include "galleria.entranceHosts" . | fromYamlArray -}}
{{- end -}}
{{- toYaml $hosts -}}
{{- end -}}
