"""What values of the chart may be, beyond the type of their defaults."""

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]

# Names of objects (RFC 1123), and of keys of ConfigMaps and Secrets.
_NAME = r"^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?)?$"
_KEY = r"^[-._a-zA-Z0-9]{1,253}$"
_HOST = r"^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
_LABEL = r"^([a-zA-Z0-9]([-._a-zA-Z0-9]{0,61}[a-zA-Z0-9])?)?$"
_LABEL_KEY = r"^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[a-zA-Z0-9]([-._a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$"
_QUANTITY = r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$"
_CIDR = r"^([0-9]{1,3}\.){3}[0-9]{1,3}/([0-9]|[12][0-9]|3[0-2])$|^[0-9a-fA-F]{0,4}(:[0-9a-fA-F]{0,4}){2,7}/[0-9]{1,3}$"
_DURATION = r"^([0-9]+(h|m|s))+$"
_TAG = r"^([a-zA-Z0-9_][-._a-zA-Z0-9]{0,127})?$"
_DIGEST = r"^(sha256:[a-f0-9]{64})?$"
_ORIGIN = r"^https?://[^/?#\s,]+$"
_PERCENT = r"^(100|[1-9]?[0-9])%$"


def _one_of(*values: str) -> Schema:
    return {"enum": list(values)}


def _text(pattern: str) -> Schema:
    return {"type": "string", "pattern": pattern}


def _number(least: float, most: float) -> Schema:
    return {"minimum": least, "maximum": most}


def _map(key: str, value: Schema) -> Schema:
    return {"type": "object", "patternProperties": {key: value}, "additionalProperties": False}


def _list(item: Schema) -> Schema:
    return {"type": "array", "items": item, "uniqueItems": True}


def _object(*required: str, **properties: Schema) -> Schema:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        **({"required": list(required)} if required else {}),
    }


def _defined(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}


_LABELS = _map(_LABEL_KEY, _text(_LABEL))
_ANNOTATIONS = _map(_LABEL_KEY, {"type": "string"})
_NUMBER_OR_PERCENT = {"type": ["integer", "string"], "minimum": 0, "pattern": f"^$|{_PERCENT}"}
_COUNT = {"type": "integer", "minimum": 1, "maximum": 2_147_483_647}
_PORT = _number(1, 65_535)
_POINTS = _number(1, 50_000_000) | {"type": "integer"}
_BUDGET = _object("capacity", "perSecond", capacity=_POINTS, perSecond=_POINTS)
_REQUIREMENT = _object(
    "key", "operator", key=_text(_LABEL_KEY), operator={"type": "string"}, values=_list({"type": "string"})
)
_WEIGHT = {"type": "integer", "minimum": 1, "maximum": 100}
_POD_AFFINITY = _object(
    requiredDuringSchedulingIgnoredDuringExecution=_list(_defined("podAffinityTerm")),
    preferredDuringSchedulingIgnoredDuringExecution=_list(
        _object("weight", "podAffinityTerm", weight=_WEIGHT, podAffinityTerm=_defined("podAffinityTerm"))
    ),
)

DEFINITIONS: Mapping[str, Schema] = {
    "labelSelector": _object(
        matchLabels=_LABELS,
        matchExpressions=_list(_REQUIREMENT),
    ),
    "peer": {
        "oneOf": [
            _object("ipBlock", ipBlock=_object("cidr", cidr=_text(_CIDR), **{"except": _list(_text(_CIDR))})),
            _object(namespaceSelector=_defined("labelSelector"), podSelector=_defined("labelSelector"))
            | {"minProperties": 1},
        ]
    },
    "policyPort": _object(
        protocol=_one_of("TCP", "UDP", "SCTP"),
        port={"type": ["integer", "string"], "minimum": 1, "maximum": 65_535},
        endPort=_PORT | {"type": "integer"},
    ),
    "egressRule": _object(to=_list(_defined("peer")), ports=_list(_defined("policyPort"))),
    "toleration": _object(
        key={"type": "string"},
        operator=_one_of("Exists", "Equal"),
        value={"type": "string"},
        effect=_one_of("NoSchedule", "PreferNoSchedule", "NoExecute"),
        tolerationSeconds={"type": "integer"},
    ),
    "nodeSelectorTerm": _object(matchExpressions=_list(_REQUIREMENT), matchFields=_list(_REQUIREMENT)),
    "podAffinityTerm": _object(
        "topologyKey",
        topologyKey=_text(_LABEL_KEY),
        labelSelector=_defined("labelSelector"),
        namespaceSelector=_defined("labelSelector"),
        namespaces=_list({"type": "string"}),
        matchLabelKeys=_list({"type": "string"}),
        mismatchLabelKeys=_list({"type": "string"}),
    ),
    "affinity": _object(
        nodeAffinity=_object(
            requiredDuringSchedulingIgnoredDuringExecution=_object(
                "nodeSelectorTerms", nodeSelectorTerms=_list(_defined("nodeSelectorTerm")) | {"minItems": 1}
            ),
            preferredDuringSchedulingIgnoredDuringExecution=_list(
                _object("weight", "preference", weight=_WEIGHT, preference=_defined("nodeSelectorTerm"))
            ),
        ),
        podAffinity=_POD_AFFINITY,
        podAntiAffinity=_POD_AFFINITY,
    ),
    "parentRef": _object(
        "name",
        name=_text(_NAME) | {"minLength": 1},
        namespace=_text(_NAME) | {"minLength": 1},
        group=_text(_NAME),
        kind=_text(r"^[A-Z][A-Za-z]*$"),
        sectionName=_text(_NAME) | {"minLength": 1},
        port=_PORT | {"type": "integer"},
    ),
}
"""What several values are made of."""

BOUNDS: Mapping[str, Schema] = {
    "nameOverride": _text(r"^([a-z]([-a-z0-9]{0,38}[a-z0-9])?)?$"),
    "fullnameOverride": _text(r"^([a-z]([-a-z0-9]{0,36}[a-z0-9])?)?$"),
    "*image.repository": _text(r"^[a-z0-9][-._/:a-z0-9]*$"),
    "*image.tag": _text(_TAG),
    "*image.digest": _text(_DIGEST),
    "*image.pullPolicy": _one_of("Always", "IfNotPresent", "Never"),
    "imagePullSecrets": _list(_text(_NAME) | {"minLength": 1}),
    "config.host": _one_of("0.0.0.0", "::"),  # noqa: S104 - nothing is bound to it.
    "config.corsOrigins": _list(_text(_ORIGIN)),
    "config.socketOrigins": _list(_text(_ORIGIN)),
    "config.trustedProxies": _list(_text(r"^[0-9a-fA-F.:]+(/[0-9]{1,3})?$")),
    "config.proxyHeader": _one_of("x-forwarded-for", "forwarded"),
    "config.defaultShop": _text(r"^([a-z0-9]+(-[a-z0-9]+)*)?$"),
    "config.workers": _number(1, 64),
    "config.concurrency": {"type": ["integer", "string"], "pattern": "^auto$", "minimum": 1, "maximum": 100_000},
    "config.poolSize": _number(1, 1_000),
    "config.drainSeconds": _number(0, 600),
    "config.deadlineSeconds": _number(1, 300),
    "config.bodyLimitBytes": _number(1_000, 100_000_000),
    "config.priceLimits.*": _number(1, 100_000),
    "config.budgets": _map("^(shopper|customer|staff|key|shop)$", _BUDGET),
    "config.budgetOutage": _one_of("open", "closed"),
    "config.socketsPerAddress": _number(1, 1_000_000),
    "config.socketsPerClient": _number(1, 1_000_000),
    "config.sockets": _number(1, 1_000_000),
    "config.operationsPerClient": _number(1, 1_000_000),
    "config.responseCache.mebibytes": _number(0, 1_000_000),
    "config.responseCache.stalenessMilliseconds": _number(0, 60_000),
    "config.httpMaxAgeSeconds": _number(0, 3_600),
    "config.eventRetentionDays": _number(1, 3_650),
    "*.existingConfigMap": _text(_NAME),
    "extraEnv": _map(r"^[A-Z][A-Z0-9_]*$", {"type": "string"}),
    "secrets.databaseUrl.value": _text("^(postgres(ql)?://.+)?$"),
    "secrets.ownerDatabaseUrl.value": _text("^(postgres(ql)?://.+)?$"),
    "secrets.redisUrl.value": _text("^((redis|rediss)://.+)?$"),
    "secrets.tokenKeys.value": _text(r'^(\s*\{[\s\S]*"keys"[\s\S]*\}\s*)?$'),
    "*.existingSecret": _text(_NAME),
    "*.key": _text(_KEY),
    "externalSecrets.store.name": _text(_NAME),
    "externalSecrets.store.kind": _one_of("SecretStore", "ClusterSecretStore"),
    "externalSecrets.refreshInterval": _text(r"^([0-9]+(h|m|s))+$|^0$"),
    "api.replicas": _number(1, 1_000),
    "relay.replicas": _number(1, 100),
    "canary.replicas": _number(1, 1_000),
    "*.resources.*": _map(
        "^(cpu|memory|ephemeral-storage)$", {"type": ["string", "number"], "pattern": _QUANTITY, "minimum": 0}
    ),
    "*.autoscaling.m??Replicas": _number(1, 1_000),
    "*.autoscaling.cpuPercent": _number(0, 1_000),
    "*.autoscaling.operationsRunning": _number(0, 1_000_000),
    "*.autoscaling.eventsWaiting": _number(0, 1_000_000),
    "*.autoscaling.scaleDownSeconds": _number(0, 3_600),
    "*.podDisruptionBudget.m*": _NUMBER_OR_PERCENT,
    "api.preStopSeconds": _number(0, 300),
    "api.reserveSeconds": _number(0, 300),
    "api.probes.*.*": _number(1, 3_600),
    "*.topologySpread.*": _one_of("ScheduleAnyway", "DoNotSchedule", "Off"),
    "*.podAnnotations": _ANNOTATIONS,
    "*.podLabels": _LABELS,
    "*.nodeSelector": _LABELS,
    "*.tolerations": _list(_defined("toleration")),
    "*.affinity": _defined("affinity"),
    "*.priorityClassName": _text(_NAME),
    "*.serviceAccountAnnotations": _ANNOTATIONS,
    "service.type": _one_of("ClusterIP", "NodePort", "LoadBalancer"),
    "service.port": _PORT,
    "*.annotations": _ANNOTATIONS,
    "migrations.deadlineSeconds": _number(10, 86_400),
    "migrations.retries": _number(0, 100),
    "migrations.keepSeconds": _number(0, 31_536_000),
    "networkPolicy.apiFrom": _list(_defined("peer")),
    "networkPolicy.metricsFrom": _list(_defined("peer")),
    "networkPolicy.dnsTo": _list(_defined("peer")),
    "networkPolicy.*.to": _list(_defined("peer")),
    "networkPolicy.*.port": _PORT,
    "networkPolicy.extraEgress": _list(_defined("egressRule")),
    "httpRoute.parentRefs": _list(_defined("parentRef")),
    "httpRoute.hostnames": _list(_text(_HOST)),
    "ingress.className": _text(_NAME),
    "ingress.hosts": _list(_text(_HOST)),
    "ingress.tlsSecret": _text(_NAME),
    "certificate.issuerRef.name": _text(_NAME),
    "certificate.issuerRef.kind": _text("^[A-Z][A-Za-z]*$"),
    "certificate.issuerRef.group": _text(_NAME),
    "certificate.dnsNames": _list(_text(_HOST)),
    "certificate.secretName": _text(_NAME),
    "certificate.duration": _text(_DURATION),
    "certificate.renewBefore": _text(_DURATION),
    "istio.virtualService.hosts": _list(_text(_HOST)),
    "istio.virtualService.gateways": _list(_text(r"^([a-z0-9][-a-z0-9.]*/)?[a-z0-9][-a-z0-9.]*$")),
    "istio.destinationRule.maxConnections": _COUNT,
    "istio.destinationRule.maxPendingRequests": _COUNT,
    "istio.destinationRule.consecutiveFailures": _COUNT,
    "istio.destinationRule.ejectionSeconds": _number(1, 3_600),
    "istio.destinationRule.maxEjectionPercent": _number(1, 100),
    "istio.peerAuthentication.metricsMode": _one_of("STRICT", "PERMISSIVE"),
    "canary.weight": _number(0, 100),
    "canary.header.name": _text("^[a-z0-9-]+$"),
    "canary.header.value": {"minLength": 1},
    "monitoring.*.labels": _LABELS,
    "monitoring.serviceMonitor.intervalSeconds": _number(5, 3_600),
    "monitoring.prometheusRule.*Percent": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 100},
    "monitoring.prometheusRule.latencySeconds": {
        "type": "number",
        "enum": [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    },
    "monitoring.prometheusRule.outboxSeconds": _number(1, 86_400),
    "monitoring.prometheusRule.runbookUrl": _text(r"^(https?://\S*%s\S*)?$"),
    "cloudnativepg.instances": _number(1, 100),
    "cloudnativepg.image": _text(r"^([a-z0-9][-._/:@a-z0-9]*)?$"),
    "cloudnativepg.storage.size": _text(_QUANTITY),
    "cloudnativepg.storage.storageClass": _text(_NAME),
    "cloudnativepg.parameters": _map("^[a-z][a-z0-9_.]*$", {"type": "string"}),
    "cloudnativepg.applicationSecret": _text(_NAME),
    "cloudnativepg.pooler.instances": _number(1, 100),
    "cloudnativepg.pooler.poolSize": _number(1, 10_000),
    "cloudnativepg.pooler.maxClients": _number(1, 1_000_000),
    "valkey.maxMemory": _text("^[1-9][0-9]*(kb|mb|gb)$"),
    "verify.shop": _text(r"^([a-z0-9]+(-[a-z0-9]+)*)?$"),
    "verify.timeoutSeconds": _number(5, 3_600),
}
"""What a value may be, by a pattern of its path; the first that fits counts."""
