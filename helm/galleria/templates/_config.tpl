{{/* Settings of the server, as variables of the environment. */}}
{{- define "galleria.config" -}}
{{ include "galleria.settings" . }}
{{- range $name, $value := .Values.extraEnv }}
{{ $name }}: {{ $value | quote }}
{{- end }}
{{- end -}}

{{/* Those that values name. */}}
{{- define "galleria.settings" -}}
{{- $config := .Values.config -}}
GALLERIA_ENVIRONMENT: production
GALLERIA_HOST: {{ $config.host | quote }}
GALLERIA_PORT: {{ include "galleria.port" . | quote }}
GALLERIA_METRICS_PORT: {{ include "galleria.metricsPort" . | quote }}
GALLERIA_RELAY: {{ ternary "off" "on" .Values.relay.enabled | quote }}
GALLERIA_TOKEN_ISSUER: {{ $config.tokenIssuer | quote }}
GALLERIA_TOKEN_AUDIENCE: {{ $config.tokenAudience | quote }}
GALLERIA_DEFAULT_SHOP: {{ $config.defaultShop | quote }}
GALLERIA_CORS_ORIGINS: {{ join "," $config.corsOrigins | quote }}
GALLERIA_SOCKET_ORIGINS: {{ join "," $config.socketOrigins | quote }}
GALLERIA_TRUSTED_PROXIES: {{ join "," $config.trustedProxies | quote }}
GALLERIA_PROXY_HEADER: {{ $config.proxyHeader }}
GALLERIA_WORKERS: {{ int64 $config.workers | quote }}
GALLERIA_CONCURRENCY: {{ ternary "auto" (int64 $config.concurrency) (kindIs "string" $config.concurrency) | quote }}
GALLERIA_PREPARED_STATEMENTS: {{ ternary "on" "off" $config.preparedStatements | quote }}
GALLERIA_POOL_SIZE: {{ int64 $config.poolSize | quote }}
GALLERIA_DRAIN_SECONDS: {{ int64 $config.drainSeconds | quote }}
GALLERIA_DEADLINE_SECONDS: {{ int64 $config.deadlineSeconds | quote }}
GALLERIA_BODY_LIMIT_BYTES: {{ int64 $config.bodyLimitBytes | quote }}
GALLERIA_PRICE_LIMIT_SHOPPERS: {{ int64 $config.priceLimits.shoppers | quote }}
GALLERIA_PRICE_LIMIT_STAFF: {{ int64 $config.priceLimits.staff | quote }}
GALLERIA_BUDGETS: {{ include "galleria.budgets" . | quote }}
GALLERIA_BUDGET_OUTAGE: {{ $config.budgetOutage }}
GALLERIA_SOCKETS_PER_ADDRESS: {{ int64 $config.socketsPerAddress | quote }}
GALLERIA_SOCKETS_PER_CLIENT: {{ int64 $config.socketsPerClient | quote }}
GALLERIA_SOCKETS: {{ int64 $config.sockets | quote }}
GALLERIA_OPERATIONS_PER_CLIENT: {{ int64 $config.operationsPerClient | quote }}
GALLERIA_RESPONSE_CACHE: {{ ternary (int64 $config.responseCache.mebibytes | toString) "off" (gt (int64 $config.responseCache.mebibytes) 0) | quote }}
GALLERIA_RESPONSE_CACHE_STALENESS_MS: {{ int64 $config.responseCache.stalenessMilliseconds | quote }}
GALLERIA_HTTP_MAX_AGE_SECONDS: {{ int64 $config.httpMaxAgeSeconds | quote }}
GALLERIA_EVENT_RETENTION_DAYS: {{ int64 $config.eventRetentionDays | quote }}
{{- end -}}

{{/* Budgets as the server reads them. */}}
{{- define "galleria.budgets" -}}
{{- $entries := list -}}
{{- range $client, $budget := .Values.config.budgets -}}
{{- $entries = append $entries (printf "%s=%d/%d" $client (int64 $budget.capacity) (int64 $budget.perSecond)) -}}
{{- end -}}
{{- join "," $entries -}}
{{- end -}}
