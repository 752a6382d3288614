"""Where requests go: to pods that have room for them."""

import pytest

from core.settings import load_settings
from tests.helm.environment import environ_of
from tests.helm.rendering import CHART, example, render
from tests.helm.test_secrets import MONITORING, with_value
from tests.helm.test_workloads import servers


def test_a_pod_that_refuses_early_is_not_ejected():
    """503 is what a pod says that has enough to do; without it the others would have more still."""
    rules = example(CHART / "ci" / "istio-canary.yaml").of_kind("DestinationRule")
    assert len(rules) == 2
    for rule in rules:
        detection = rule["spec"]["trafficPolicy"]["outlierDetection"]
        assert detection["consecutive5xxErrors"] == 0
        assert detection.get("consecutiveGatewayErrors", 0) == 0
        assert detection["splitExternalLocalOriginErrors"] is True
        assert detection["consecutiveLocalOriginFailures"] == 5


def test_an_autoscaler_counts_operations_and_no_open_streams():
    """A stream is a request for hours, in which next to nothing is done."""
    [scaler] = example(CHART / "ci" / "production.yaml").of_kind("HorizontalPodAutoscaler")
    [metric] = [metric["pods"] for metric in scaler["spec"]["metrics"] if metric["type"] == "Pods"]
    assert metric["metric"] == {
        "name": "galleria_admission_in_flight",
        "selector": {"matchLabels": {"gate": "all"}},
    }
    assert metric["target"] == {"type": "AverageValue", "averageValue": "40"}


def test_bounds_of_sockets_reach_the_server(tmp_path):
    release = render(with_value("config", {**MONITORING["config"], "sockets": 1_000_000, "socketsPerClient": 7}))
    for _, pod, container in servers(release):
        if container["args"] == ["serve"]:
            settings = load_settings(environ_of(container, pod, release, tmp_path))
            assert (settings.sockets, settings.sockets_per_client) == (1_000_000, 7)


OUTSIDE = {"ipBlock": {"cidr": "0.0.0.0/0"}}


@pytest.mark.parametrize(
    ("kind", "peers", "is_warned"),
    [
        ("ClusterIP", [], False),
        ("NodePort", [{"namespaceSelector": {}}], True),
        ("LoadBalancer", [{"namespaceSelector": {}}], True),
        ("LoadBalancer", [{"namespaceSelector": {}}, OUTSIDE], False),
    ],
)
def test_a_service_for_those_outside_is_said_to_need_their_networks(kind, peers, is_warned):
    values = {**MONITORING, "service": {"type": kind}, "networkPolicy": {"apiFrom": peers}}
    assert ("networkPolicy.apiFrom, as an ipBlock" in render(values).notes) == is_warned


@pytest.mark.parametrize("is_on", [True, False])
def test_an_ambient_mesh_reaches_every_pod_that_is_asked(is_on):
    """It brings whatever is for a pod to a port of its own, behind the back of the policies."""
    values = {**MONITORING, "istio": {"ambient": is_on}, "valkey": {"enabled": True}}
    policies = render({**values, "secrets": {**MONITORING["secrets"], "redisUrl": {}}}).of_kind("NetworkPolicy")
    found = {
        (policy["metadata"]["name"].removeprefix("shop-galleria"), way)
        for policy in policies
        for way in ("ingress", "egress")
        if {"ports": [{"port": 15008, "protocol": "TCP"}]} in policy["spec"].get(way, [])
    }
    asked = {"", "-relay", "-valkey"}
    asking = {"", "-relay", "-verify", "-migrations"}
    assert found == ({(name, "ingress") for name in asked} | {(name, "egress") for name in asking} if is_on else set())
