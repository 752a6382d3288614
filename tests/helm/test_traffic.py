"""Where requests go: to pods that have room for them."""

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
